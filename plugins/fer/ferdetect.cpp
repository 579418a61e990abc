#include "ferdetect.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "cuda-frames.h"
#include "element-base.h"
#include "element-util.h"
#include "face-geometry.h"
#include "face-meta.h"
#include "frame-allocation.h"
#include "frame-intervals.h"
#include "qos-tracker.h"
#include "video-frame.h"
#include "vision/face_finder.h"

GST_DEBUG_CATEGORY_STATIC(fer_detect_debug);
#define GST_CAT_DEFAULT fer_detect_debug

namespace {

/// How frames are to be turned; kAuto: as the stream's tag `image-orientation` says. The others are
/// fer::Orientation's.
enum class Turn : gint { kAuto = 8 };

struct Settings {
  std::string model;
  Turn orientation = Turn::kAuto;
  double threshold = 0.6;
  guint min_face_size = 0;
  guint max_faces = 0;
  guint inference_interval = 1;
  guint detect_width = 640;
  guint small_face_interval = 30;
  bool tracking = true;
  bool qos = true;
  std::string metrics_address;
};

struct Stats {
  std::string detector;
  guint64 frames = 0;
  guint64 detections = 0;
  guint64 skipped = 0;
  guint64 failed = 0;
  guint64 faces = 0;
  guint64 tracks = 0;
  guint64 cuts = 0;
  GstClockTime last_detect_time = 0;
  GstClockTime total_detect_time = 0;
};

/// What start() makes and stop() destroys. Only the streaming thread uses it, and start() and
/// stop(), while that does not run.
struct State {
  std::unique_ptr<fer::FaceFinder> finder;
  std::optional<GstVideoInfo> info;
  fer::Orientation tagged = fer::Orientation::kIdentity;       ///< By the stream's tags.
  fer::Orientation orientation = fer::Orientation::kIdentity;  ///< Of the last frame.
  fer::CudaFrames cuda;
  fer::FrameIntervals intervals;
};

struct Impl : fer::ElementImpl<Settings, Stats> {
  fer::QosTracker qos;
  bool told_of_fallback = false;  ///< Only start() uses it.
  State state;
};

}  // namespace

struct _FerDetect {
  GstBaseTransform parent;
  Impl* impl;
};

G_DEFINE_FINAL_TYPE(FerDetect, fer_detect, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(ferdetect, "ferdetect", GST_RANK_NONE, FER_TYPE_DETECT)

namespace {

using Base = fer::ElementBase<FerDetect>;

GType turn_type() {
  static const GEnumValue values[] = {
      {0, "As it is stored", "identity"},
      {1, "Turned clockwise by 90 degrees", "90r"},
      {2, "Turned by 180 degrees", "180"},
      {3, "Turned counter-clockwise by 90 degrees", "90l"},
      {4, "Left and right change places", "horiz"},
      {5, "Top and bottom change places", "vert"},
      {6, "Mirrored at the diagonal from the upper left corner", "ul-lr"},
      {7, "Mirrored at the diagonal from the upper right corner", "ur-ll"},
      {static_cast<gint>(Turn::kAuto), "As the stream's tag image-orientation says", "auto"},
      {0, nullptr, nullptr}};
  return fer::enum_type("FerOrientation", values);
}

// --- Start and stop.

/// The model to open; an empty path, and an element error, where there is none.
std::filesystem::path choose_model(FerDetect* self) {
  const std::string named = self->impl->settings.copy().model;
  if (!named.empty()) return named;
  const fer::DetectorModel found = fer::find_detector_model();
  if (found.path.empty()) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND,
                      ("There is no face detector on this machine: %s.", found.remedy.c_str()),
                      (nullptr));
  } else if (!found.remedy.empty() && !self->impl->told_of_fallback) {
    self->impl->told_of_fallback = true;
    GST_ELEMENT_WARNING(
        self, RESOURCE, NOT_FOUND,
        ("Without a network, faces are found by the Haar cascade %s, which misses many "
         "and sees no landmarks: %s.",
         found.path.c_str(), found.remedy.c_str()),
        (nullptr));
  }
  return found.path;
}

gboolean start(GstBaseTransform* base) {
  FerDetect* self = FER_DETECT(base);
  return fer::guarded(self, FALSE, [&]() -> gboolean {
    const std::filesystem::path model = choose_model(self);
    if (model.empty()) return FALSE;
    Impl& impl = *self->impl;
    try {
      impl.state.finder = std::make_unique<fer::FaceFinder>(fer::open_detector(model));
    } catch (const std::runtime_error& error) {
      fer::post_open_error(GST_ELEMENT(self), model, error.what());
      return FALSE;
    }
    GST_INFO_OBJECT(self, "opened %s", model.c_str());
    impl.qos.reset();
    Base::start(self);
    impl.stats.with([&](Stats& stats) { stats.detector = impl.state.finder->detector_name(); });
    return TRUE;
  });
}

gboolean stop(GstBaseTransform* base) {
  FerDetect* self = FER_DETECT(base);
  Base::stop(self);
  self->impl->state = {};
  return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  FerDetect* self = FER_DETECT(base);
  State& state = self->impl->state;
  const std::optional<GstVideoInfo> before =
      std::exchange(state.info, fer::raw_video_info(self, caps));
  if (!state.info) return FALSE;
  state.intervals.expect(fer::frame_duration(*state.info));
  // Frame rate, format and colours say nothing of where faces are.
  if (before && fer::same_shape(*before, *state.info)) {
    const fer::ShownSize from = fer::shown_size(fer::geometry_of(*before));
    const fer::ShownSize to = fer::shown_size(fer::geometry_of(*state.info));
    state.finder->scale(static_cast<float>(to.width / from.width));
  } else {
    state.finder->reset();
    state.intervals.reset();
  }
  return TRUE;
}

// --- Events.

/// Takes note of how the stream's pictures are to be turned.
void note_orientation(State& state, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) state.tagged = fer::Orientation::kIdentity;
  if (GST_EVENT_TYPE(event) != GST_EVENT_TAG) return;
  GstTagList* tags = nullptr;
  gst_event_parse_tag(event, &tags);
  GstVideoOrientationMethod method = GST_VIDEO_ORIENTATION_IDENTITY;
  if (gst_video_orientation_from_tag(tags, &method) && method <= GST_VIDEO_ORIENTATION_UR_LL) {
    state.tagged = static_cast<fer::Orientation>(method);
  }
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  Impl& impl = *FER_DETECT(base)->impl;
  note_orientation(impl.state, event);
  if (fer::is_discontinuity(event)) {
    if (impl.state.finder) impl.state.finder->reset();
    impl.state.intervals.reset();
    impl.qos.reset();
  }
  return GST_BASE_TRANSFORM_CLASS(fer_detect_parent_class)->sink_event(base, event);
}

gboolean src_event(GstBaseTransform* base, GstEvent* event) {
  FER_DETECT(base)->impl->qos.handle_event(event);
  return GST_BASE_TRANSFORM_CLASS(fer_detect_parent_class)->src_event(base, event);
}

gboolean query(GstBaseTransform* base, GstPadDirection direction, GstQuery* query) {
  if (GST_BASE_TRANSFORM_CLASS(fer_detect_parent_class)->query(base, direction, query)) return TRUE;
  // Neighbours that have a context already (an encoder behind the overlay) come first, so that all
  // of a pipeline has one.
  return GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT &&
         fer::answer_context_query(GST_ELEMENT(base), query);
}

// --- Frames.

/// Tells the finder what lies between this frame and the one before it.
void bridge_gap(FerDetect* self, GstBuffer* buffer) {
  State& state = self->impl->state;
  const bool backwards = GST_BASE_TRANSFORM(self)->segment.rate < 0;
  const auto lost = state.intervals.lost_before(GST_BUFFER_PTS(buffer), backwards);
  if (!lost) {
    GST_DEBUG_OBJECT(self, "the time jumps, tracks end");
    state.finder->reset();
  } else if (*lost > 0) {
    state.finder->miss(*lost);
  }
}

/// The faces in the frame's pixels; nullopt, and a warning, where they could not be had.
std::optional<std::vector<fer::TrackedFace>> detect(FerDetect* self, GstBuffer* buffer) {
  Impl& impl = *self->impl;
  std::string fault = "the buffer does not hold the frame that its caps describe";
  try {
    const fer::MappedFrame mapped(*impl.state.info, buffer, GST_MAP_READ,
                                  impl.state.cuda.reader(GST_ELEMENT(self), buffer));
    if (mapped) {
      const fer::Stopwatch stopwatch;
      auto faces = impl.state.finder->detect(mapped.view(impl.state.orientation));
      const GstClockTime time = stopwatch.elapsed();
      impl.stats.with([&](Stats& stats) {
        ++stats.detections;
        stats.last_detect_time = time;
        stats.total_detect_time += time;
      });
      return faces;
    }
  } catch (const std::exception& error) {
    fault = error.what();
  }
  impl.stats.with([](Stats& stats) { ++stats.failed; });
  fer::warn_limited(GST_ELEMENT(self), impl.fault,
                    "A frame was not searched for faces: " + fault + ".");
  return std::nullopt;
}

std::vector<fer::TrackedFace> find_faces(FerDetect* self, GstBuffer* buffer, bool qos) {
  fer::FaceFinder& finder = *self->impl->state.finder;
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) {
    // Nothing is to be seen in it; time passes all the same.
    finder.predict();
    return {};
  }
  if (finder.due()) {
    if (qos && finder.may_skip() && self->impl->qos.is_late(GST_BASE_TRANSFORM(self), buffer)) {
      self->impl->stats.with([](Stats& stats) { ++stats.skipped; });
    } else if (auto faces = detect(self, buffer)) {
      return std::move(*faces);
    }
  }
  return finder.predict();
}

/// Turns this frame as the setting says. Tracks do not go on in a picture that is turned otherwise.
void turn(FerDetect* self, Turn setting) {
  State& state = self->impl->state;
  const fer::Orientation now =
      setting == Turn::kAuto ? state.tagged : static_cast<fer::Orientation>(setting);
  if (now != state.orientation) {
    GST_INFO_OBJECT(self, "frames are turned by orientation %d", static_cast<int>(now));
    state.finder->reset();
  }
  state.orientation = now;
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  FerDetect* self = FER_DETECT(base);
  return fer::guarded(self, GST_FLOW_ERROR, [&] {
    Impl& impl = *self->impl;
    const GstVideoInfo& info = *impl.state.info;
    fer::sync_properties(base, buffer);
    const Settings settings = impl.settings.copy();
    fer::FaceFinderConfig config;
    config.threshold = static_cast<float>(settings.threshold);
    config.min_face_size = static_cast<float>(settings.min_face_size);
    config.max_faces = static_cast<int>(settings.max_faces);
    config.detect_width = static_cast<int>(settings.detect_width);
    config.interval = static_cast<int>(settings.inference_interval);
    config.small_face_interval = static_cast<int>(settings.small_face_interval);
    config.tracking = settings.tracking;
    turn(self, settings.orientation);
    bridge_gap(self, buffer);
    config.frame_rate = impl.state.intervals.frame_rate();
    impl.state.finder->configure(config);

    const fer::FrameGeometry geometry = fer::geometry_of(info, impl.state.orientation);
    const fer::ShownSize shown = fer::shown_size(geometry);
    const cv::Rect2f frame(0, 0, static_cast<float>(shown.width), static_cast<float>(shown.height));
    std::vector<fer::FaceRecord> records;
    guint64 last_track = 0;
    for (const fer::TrackedFace& face : find_faces(self, buffer, settings.qos)) {
      last_track = std::max<guint64>(last_track, face.track_id);
      // A face that moves on beyond the border has left.
      if (!(face.box & frame).empty()) records.push_back(fer::face_record(face, geometry));
    }
    fer::face_meta_write(buffer, info, records, geometry.orientation);
    impl.stats.with([&](Stats& stats) {
      ++stats.frames;
      stats.faces += records.size();
      stats.tracks = std::max(stats.tracks, last_track);
      stats.cuts = impl.state.finder->cuts();
    });
    GST_LOG_OBJECT(self, "%zu faces on %" GST_PTR_FORMAT, records.size(), buffer);
    return GST_FLOW_OK;
  });
}

fer::PropertyTable<Settings> properties() {
  fer::PropertyTable<Settings> properties;
  properties.add(&Settings::model,
                 {"model", "Model",
                  "File of the face detector: our own or YuNet (.onnx), or an OpenCV cascade "
                  "(.xml); unset: the best one on this machine"},
                 fer::kMutableReady);
  properties.add(&Settings::threshold,
                 {"threshold", "Threshold",
                  "Least score of a face that is reported; a face that is followed stays down to "
                  "half of it"},
                 0, 1, fer::kControllable);
  properties.add(
      &Settings::min_face_size,
      {"min-face-size", "Least face size",
       "Leave out faces whose shorter side has fewer pixels of the frame, as it is shown in "
       "square pixels"},
      0, 16384, fer::kControllable);
  properties.add(&Settings::max_faces,
                 {"max-faces", "Most faces",
                  "Report at most this many faces a frame, the surest ones (0 = all)"},
                 0, 10000, fer::kControllable);
  properties.add(&Settings::inference_interval,
                 {"inference-interval", "Inference interval",
                  "Run the detector on each n-th frame; between, the tracker predicts where the "
                  "faces are"},
                 1, 10000, fer::kControllable);
  properties.add(
      &Settings::detect_width,
      {"detect-width", "Detection width",
       "Detect in frames shrunk to this many pixels in width where they are shown wider (0 = "
       "full size); less is faster, and misses small faces"},
      0, 16384, fer::kControllable);
  properties.add(&Settings::small_face_interval,
                 {"small-face-interval", "Small face interval",
                  "On each n-th frame, the detector of our own looks for small faces too, in a "
                  "picture of twice the size, which takes four times as long; between, they are "
                  "followed; without tracking on every frame (0 = never)"},
                 0, 10000, fer::kControllable);
  properties.add(&Settings::orientation, turn_type(),
                 {"orientation", "Orientation",
                  "How the stored picture must be turned to be upright. Faces are found in the "
                  "turned picture; their boxes and landmarks stay in the stored one's coordinates"},
                 fer::kMutablePlaying);
  properties.add(&Settings::tracking,
                 {"tracking", "Tracking",
                  "Follow faces from frame to frame and give them ids; without, frames on which "
                  "the detector does not run have no faces"},
                 fer::kControllable);
  // In place of the base class's, which would drop late frames altogether.
  properties.add(&Settings::qos,
                 {"qos", "QoS",
                  "On frames that come too late downstream, predict faces in place of detecting "
                  "them, except for one frame a second"},
                 fer::kMutablePlaying);
  return properties;
}

fer::StatsTable<Stats> statistics() {
  fer::StatsTable<Stats> stats("fer-detect-stats");
  stats.text(&Stats::detector, "detector", "The detector's name");
  stats.counter(&Stats::frames, {"frames", "fer_detect_frames_total", "Frames that passed", {}});
  stats.counter(&Stats::detections,
                {"detections", "fer_detect_detections_total", "Runs of the detector", {}});
  stats.counter(
      &Stats::skipped,
      {"skipped", "fer_detect_skipped_total", "Runs left out because the frame was late", {}});
  stats.counter(&Stats::failed, {"failed", "fer_detect_failed_total", "Runs that failed", {}});
  stats.counter(&Stats::faces, {"faces", "fer_detect_faces_total", "Faces, over all frames", {}});
  stats.counter(&Stats::tracks, {"tracks", "fer_detect_tracks_total", "Track ids given", {}});
  stats.counter(&Stats::cuts,
                {"cuts", "fer_detect_cuts_total", "Scene cuts, which end all tracks", {}});
  stats.mean_time(
      &Stats::total_detect_time, &Stats::detections,
      {"average-detect-time", "fer_detect_run_seconds", "Time that runs of the detector took", {}});
  stats.last_time(&Stats::last_detect_time, {"last-detect-time",
                                             "fer_detect_last_run_seconds",
                                             "Time that the detector's last run took",
                                             {}});
  stats.info("fer_detect_detector_info", "The detector at work; always 1", [](const Stats& now) {
    return fer::MetricLabels{{"detector", now.detector}};
  });
  return stats;
}

}  // namespace

static void fer_detect_class_init(FerDetectClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_detect_debug, "ferdetect", 0, "Finds and follows faces");
  Base::install(klass, properties(), statistics());

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Face detector", "Filter/Analyzer/Video",
      "Finds faces, follows them from frame to frame and attaches them to buffers as metadata",
      "gst-fer");
  fer::add_video_pads(element_class);

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = start;
  base_class->stop = stop;
  base_class->set_caps = set_caps;
  base_class->sink_event = sink_event;
  base_class->src_event = src_event;
  base_class->propose_allocation = fer::propose_allocation;
  base_class->query = query;
  base_class->transform_ip = transform_ip;
}

static void fer_detect_init(FerDetect* self) {
  Base::init(self);
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}
