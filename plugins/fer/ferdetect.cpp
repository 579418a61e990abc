#include "ferdetect.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>

#include "cuda-frames.h"
#include "element-base.h"
#include "element-util.h"
#include "face-geometry.h"
#include "face-meta.h"
#include "frame-allocation.h"
#include "qos-tracker.h"
#include "video-frame.h"
#include "vision/face_finder.h"

GST_DEBUG_CATEGORY_STATIC(fer_detect_debug);
#define GST_CAT_DEFAULT fer_detect_debug

namespace {

struct Settings {
  std::string model;
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
  GstClockTime last_detect_time = 0;
  GstClockTime total_detect_time = 0;
};

/// What start() makes and stop() destroys. Only the streaming thread uses it, and start() and
/// stop(), while that does not run.
struct State {
  std::unique_ptr<fer::FaceFinder> finder;
  std::optional<GstVideoInfo> info;
  fer::CudaFrames cuda;
  GstClockTime last_pts = GST_CLOCK_TIME_NONE;
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
  state.info = fer::raw_video_info(self, caps);
  if (!state.info) return FALSE;
  state.finder->reset();
  state.last_pts = GST_CLOCK_TIME_NONE;
  return TRUE;
}

// --- Events.

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  Impl& impl = *FER_DETECT(base)->impl;
  if (fer::is_discontinuity(event)) {
    if (impl.state.finder) impl.state.finder->reset();
    impl.state.last_pts = GST_CLOCK_TIME_NONE;
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
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const GstVideoInfo& info = *state.info;
  const bool measurable = GST_CLOCK_TIME_IS_VALID(pts) && GST_CLOCK_TIME_IS_VALID(state.last_pts) &&
                          GST_VIDEO_INFO_FPS_N(&info) > 0 && GST_VIDEO_INFO_FPS_D(&info) > 0;
  if (measurable) {
    const bool backwards = GST_BASE_TRANSFORM(self)->segment.rate < 0;
    const auto step =
        static_cast<GstClockTimeDiff>(backwards ? state.last_pts - pts : pts - state.last_pts);
    const double frames = static_cast<double>(step) * GST_VIDEO_INFO_FPS_N(&info) /
                          GST_VIDEO_INFO_FPS_D(&info) / GST_SECOND;
    if (frames < -0.5) {
      GST_DEBUG_OBJECT(self, "the time jumps by %.1f frames, tracks end", frames);
      state.finder->reset();
    } else {
      state.finder->miss(static_cast<int>(std::lround(std::clamp(frames - 1, 0., 1e6))));
    }
  } else if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT)) {
    state.finder->reset();
  }
  if (GST_CLOCK_TIME_IS_VALID(pts)) state.last_pts = pts;
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
      auto faces = impl.state.finder->detect(mapped.view());
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
    if (GST_VIDEO_INFO_FPS_D(&info) > 0) {
      config.frame_rate =
          static_cast<double>(GST_VIDEO_INFO_FPS_N(&info)) / GST_VIDEO_INFO_FPS_D(&info);
    }
    impl.state.finder->configure(config);
    bridge_gap(self, buffer);

    const gint width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
    const cv::Rect2f frame(0, 0, static_cast<float>(width), static_cast<float>(height));
    std::vector<fer::FaceRecord> records;
    guint64 last_track = 0;
    for (const fer::TrackedFace& face : find_faces(self, buffer, settings.qos)) {
      last_track = std::max<guint64>(last_track, face.track_id);
      // A face that moves on beyond the border has left.
      if (!(face.box & frame).empty()) records.push_back(fer::face_record(face, width, height));
    }
    fer::face_meta_write(buffer, info, records);
    impl.stats.with([&](Stats& stats) {
      ++stats.frames;
      stats.faces += records.size();
      stats.tracks = std::max(stats.tracks, last_track);
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
  properties.add(&Settings::min_face_size,
                 {"min-face-size", "Least face size",
                  "Leave out faces whose shorter side has fewer pixels of the frame"},
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
  properties.add(&Settings::detect_width,
                 {"detect-width", "Detection width",
                  "Detect in frames shrunk to this many pixels in width where they are wider (0 = "
                  "full size); less is faster, and misses small faces"},
                 0, 16384, fer::kControllable);
  properties.add(&Settings::small_face_interval,
                 {"small-face-interval", "Small face interval",
                  "On each n-th frame, the detector of our own looks for small faces too, in a "
                  "picture of twice the size, which takes four times as long; between, they are "
                  "followed; without tracking on every frame (0 = never)"},
                 0, 10000, fer::kControllable);
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
