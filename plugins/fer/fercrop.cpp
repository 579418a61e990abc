#include "fercrop.h"

#include <gst/video/video.h>

#include <algorithm>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <vector>

#include "cuda-frames.h"
#include "element-base.h"
#include "element-util.h"
#include "face-geometry.h"
#include "face-meta.h"
#include "faces-on-frame.h"
#include "gst-owned.h"
#include "video-frame.h"
#include "vision/align.h"

GST_DEBUG_CATEGORY_STATIC(fer_crop_debug);
#define GST_CAT_DEFAULT fer_crop_debug

namespace {

constexpr gint kDefaultSide = 112;

struct Settings {
  fer::AlignTemplate align_template = fer::AlignTemplate::kFer;
  double margin = 0;
  guint min_face_size = 0;
  guint max_faces = 0;
};

struct Stats {
  guint64 frames = 0;
  guint64 crops = 0;
  guint64 left_out = 0;
  guint64 failed = 0;
  GstClockTime last_crop_time = 0;
  GstClockTime total_crop_time = 0;
};

/// The frame whose faces are being cut out, one at each call of generate_output(). The streaming
/// thread's; start, stop and flushes, which touch it too, do not run beside that.
struct Frame {
  fer::Owned<GstBuffer> buffer;
  std::optional<fer::MappedFrame> mapped;  ///< Of `buffer`: goes before it.
  std::vector<fer::FaceRecord> faces;
  std::size_t next = 0;  ///< Of `faces`.
  fer::CropSpec spec;
  fer::FrameGeometry geometry;
  bool any = false;  ///< A crop of it has gone out.

  void clear() {
    mapped.reset();
    buffer.reset();
    faces.clear();
    next = 0;
    any = false;
  }
};

struct Impl : fer::ElementImpl<Settings, Stats> {
  fer::WarningLimiter no_record;
  fer::CudaFrames cuda;
  Frame frame;
  cv::Mat colour;  ///< Where a crop is made that is not RGB in the end; the streaming thread's.
};

}  // namespace

struct _FerCrop {
  GstVideoFilter parent;
  Impl* impl;
};

G_DEFINE_FINAL_TYPE(FerCrop, fer_crop, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(fercrop, "fercrop", GST_RANK_NONE, FER_TYPE_CROP)

namespace {

using Base = fer::ElementBase<FerCrop>;

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(FER_VIDEO_CAPS));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ RGB, BGR, RGBx, BGRx, GRAY8 }")));

GType template_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(fer::AlignTemplate::kFer),
       "Near FER+'s geometry, for expressions: eyes 0.38 of the width apart", "fer"},
      {static_cast<gint>(fer::AlignTemplate::kArcFace),
       "ArcFace's geometry, for identities: eyes 0.31 of the width apart", "arcface"},
      {0, nullptr, nullptr}};
  return fer::enum_type("FerAlignTemplate", values);
}

// --- Caps.

/// Sets the frame rate to `rate` or to none. GStreamer takes no list of fractions and ranges for a
/// subset of a range, so that ranges get caps of their own.
void set_rate_or_none(GstCaps* caps, const GValue* rate) {
  GValue none = G_VALUE_INIT;
  g_value_init(&none, GST_TYPE_FRACTION);
  gst_value_set_fraction(&none, 0, 1);
  // Not gst_value_can_intersect(), which takes any two fractions for such.
  if (gst_value_intersect(nullptr, &none, rate)) {
    gst_caps_set_value(caps, "framerate", rate);
  } else if (GST_VALUE_HOLDS_FRACTION_RANGE(rate)) {
    GstCaps* with_rate = gst_caps_copy(caps);
    gst_caps_set_value(caps, "framerate", &none);
    gst_caps_set_value(with_rate, "framerate", rate);
    gst_caps_append(caps, with_rate);
  } else {
    GValue rates = G_VALUE_INIT;
    gst_value_list_merge(&rates, &none, rate);
    gst_caps_set_value(caps, "framerate", &rates);
    g_value_unset(&rates);
  }
  g_value_unset(&none);
}

/// The other pad may have any size; it keeps the frame rate, or has none: a frame gives as many
/// buffers as it has faces.
GstCaps* transform_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps,
                        GstCaps* filter) {
  GstPad* other = direction == GST_PAD_SINK ? base->srcpad : base->sinkpad;
  GstCaps* templ = gst_pad_get_pad_template_caps(other);
  GstCaps* result = gst_caps_new_empty();
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    const GValue* rate = gst_structure_get_value(gst_caps_get_structure(caps, i), "framerate");
    GstCaps* possible = gst_caps_copy(templ);
    if (direction == GST_PAD_SINK && rate != nullptr) set_rate_or_none(possible, rate);
    result = gst_caps_merge(result, possible);
  }
  gst_caps_unref(templ);
  if (filter != nullptr) {
    GstCaps* filtered = gst_caps_intersect_full(filter, result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(result);
    result = filtered;
  }
  GST_DEBUG_OBJECT(base, "%" GST_PTR_FORMAT " gives %" GST_PTR_FORMAT, caps, result);
  return result;
}

/// What downstream leaves open: square crops of the usual side, grey where the frames are, no frame
/// rate.
GstCaps* fixate_caps(GstBaseTransform*, GstPadDirection direction, GstCaps* caps,
                     GstCaps* othercaps) {
  GstCaps* result = gst_caps_make_writable(gst_caps_truncate(othercaps));
  GstStructure* fields = gst_caps_get_structure(result, 0);
  if (direction == GST_PAD_SINK) {
    gint width = kDefaultSide, height = kDefaultSide;
    if (gst_structure_get_int(fields, "width", &width)) height = width;
    if (gst_structure_get_int(fields, "height", &height) &&
        !gst_structure_get_int(fields, "width", &width)) {
      width = height;
    }
    gst_structure_fixate_field_nearest_int(fields, "width", width);
    gst_structure_fixate_field_nearest_int(fields, "height", height);
    const char* format = gst_structure_get_string(gst_caps_get_structure(caps, 0), "format");
    gst_structure_fixate_field_string(fields, "format",
                                      g_strcmp0(format, "GRAY8") == 0 ? "GRAY8" : "RGB");
    if (gst_structure_has_field(fields, "framerate")) {
      gst_structure_fixate_field_nearest_fraction(fields, "framerate", 0, 1);
    }
  }
  return gst_caps_fixate(result);
}

gboolean set_caps(GstBaseTransform* base, GstCaps* incaps, GstCaps* outcaps) {
  const gboolean known =
      GST_BASE_TRANSFORM_CLASS(fer_crop_parent_class)->set_caps(base, incaps, outcaps);
  // The parent takes a filter without transform_frame() for one that works in place, and would hand
  // us the frame for the crop.
  gst_base_transform_set_in_place(base, FALSE);
  return known;
}

/// Only what holds for a part of the frame as it does for the whole goes on to a crop.
gboolean transform_meta(GstBaseTransform*, GstBuffer*, GstMeta* meta, GstBuffer*) {
  return meta->info->api == GST_REFERENCE_TIMESTAMP_META_API_TYPE ||
         meta->info->api == GST_VIDEO_TIME_CODE_META_API_TYPE;
}

// --- Start, stop, events.

gboolean start(GstBaseTransform* base) {
  FerCrop* self = FER_CROP(base);
  Base::start(self);
  self->impl->no_record.reset();
  return TRUE;
}

gboolean stop(GstBaseTransform* base) {
  Impl& impl = *FER_CROP(base)->impl;
  impl.frame.clear();
  impl.cuda = {};
  return TRUE;
}

/// Crops are upright: what says how to turn the stream's pictures does not hold for them.
GstEvent* without_orientation(GstEvent* event) {
  GstTagList* tags = nullptr;
  gst_event_parse_tag(event, &tags);
  GstVideoOrientationMethod method = GST_VIDEO_ORIENTATION_IDENTITY;
  if (!gst_video_orientation_from_tag(tags, &method)) return event;
  tags = gst_tag_list_copy(tags);
  gst_tag_list_add(tags, GST_TAG_MERGE_REPLACE, GST_TAG_IMAGE_ORIENTATION, "rotate-0", nullptr);
  GstEvent* upright = gst_event_new_tag(tags);
  gst_event_set_seqnum(upright, gst_event_get_seqnum(event));
  gst_event_unref(event);
  return upright;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_TAG) event = without_orientation(event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) FER_CROP(base)->impl->frame.clear();
  return GST_BASE_TRANSFORM_CLASS(fer_crop_parent_class)->sink_event(base, event);
}

// --- Crops.

/// Leaves the faces that are wanted, and says how many are not.
std::size_t choose_faces(const Settings& settings, const fer::FrameGeometry& geometry,
                         std::vector<fer::FaceRecord>& faces) {
  const std::size_t before = faces.size();
  std::erase_if(faces, [&](const fer::FaceRecord& face) {
    return fer::face_size(face, geometry) < settings.min_face_size;
  });
  if (settings.max_faces > 0 && faces.size() > settings.max_faces) {
    std::stable_sort(faces.begin(), faces.end(),
                     [](const auto& a, const auto& b) { return a.confidence > b.confidence; });
    faces.resize(settings.max_faces);
  }
  return before - faces.size();
}

void fault(FerCrop* self, const std::string& what) {
  self->impl->stats.with([](Stats& stats) { ++stats.failed; });
  fer::warn_limited(GST_ELEMENT(self), self->impl->fault, what);
}

/// Takes over the frame that waits in the base class.
void take_frame(FerCrop* self) {
  GstBaseTransform* base = GST_BASE_TRANSFORM(self);
  Impl& impl = *self->impl;
  Frame& frame = impl.frame;
  frame.clear();
  frame.buffer.reset(std::exchange(base->queued_buf, nullptr));
  GstBuffer* buffer = frame.buffer.get();
  fer::sync_properties(base, buffer);
  const Settings settings = impl.settings.copy();
  const GstVideoInfo& in = GST_VIDEO_FILTER(self)->in_info;
  const GstVideoInfo& out = GST_VIDEO_FILTER(self)->out_info;
  frame.geometry = fer::geometry_of(in, fer::face_meta_orientation(buffer));
  frame.spec.align_template = settings.align_template;
  frame.spec.width = GST_VIDEO_INFO_WIDTH(&out);
  frame.spec.height = GST_VIDEO_INFO_HEIGHT(&out);
  frame.spec.margin = static_cast<float>(settings.margin);
  frame.spec.grey = GST_VIDEO_INFO_FORMAT(&out) == GST_VIDEO_FORMAT_GRAY8;

  std::size_t left_out = 0;
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) {
    GST_LOG_OBJECT(self, "nothing is to be seen in %" GST_PTR_FORMAT, buffer);
  } else if (auto faces = fer::faces_on_frame(GST_ELEMENT(self), buffer, frame.geometry.width,
                                              frame.geometry.height, impl.no_record)) {
    frame.faces = std::move(*faces);
    left_out = choose_faces(settings, frame.geometry, frame.faces);
  } else {
    fer::warn_limited(GST_ELEMENT(self), impl.no_record,
                      "Nobody has looked for faces in these frames, so that there are none to "
                      "crop: put ferdetect before this element.");
  }
  if (!frame.faces.empty()) {
    frame.mapped.emplace(in, buffer, GST_MAP_READ, impl.cuda.reader(GST_ELEMENT(self), buffer));
    if (!*frame.mapped) {
      frame.faces.clear();
      fault(self,
            "A frame's faces were not cropped: the buffer does not hold the frame that its caps "
            "describe.");
    }
  }
  impl.stats.with([&](Stats& stats) {
    ++stats.frames;
    stats.left_out += left_out;
  });
}

/// Writes the crop of the face into the mapped buffer of the output.
void write_crop(FerCrop* self, const fer::Face& face, const fer::FrameView& out) {
  Impl& impl = *self->impl;
  const fer::CropSpec& spec = impl.frame.spec;
  const fer::FrameView in = impl.frame.mapped->view(impl.frame.geometry.orientation);
  const auto target = [&](int type) {
    return cv::Mat(out.height, out.width, type, const_cast<std::uint8_t*>(out.data[0]),
                   static_cast<std::size_t>(out.stride[0]));
  };
  if (out.format == fer::PixelFormat::kGray8 || out.format == fer::PixelFormat::kRgb) {
    cv::Mat crop = target(spec.grey ? CV_8UC1 : CV_8UC3);
    fer::crop_face(in, face, spec, crop);
    return;
  }
  fer::crop_face(in, face, spec, impl.colour);
  const bool swapped =
      out.format == fer::PixelFormat::kBgr || out.format == fer::PixelFormat::kBgrx;
  const bool padded =
      out.format == fer::PixelFormat::kRgbx || out.format == fer::PixelFormat::kBgrx;
  cv::Mat crop = target(padded ? CV_8UC4 : CV_8UC3);
  cv::cvtColor(impl.colour, crop,
               padded ? (swapped ? cv::COLOR_RGB2BGRA : cv::COLOR_RGB2RGBA) : cv::COLOR_RGB2BGR);
}

/// The record of the face on its own crop: it is the whole of it.
fer::FaceRecord record_on_crop(const fer::FaceRecord& record, const fer::Face& face,
                               const fer::CropSpec& spec) {
  fer::FaceRecord on_crop = record;
  on_crop.roi_id = 0;
  on_crop.x = on_crop.y = 0;
  on_crop.w = on_crop.h = 1;
  if (face.landmarks) {
    const cv::Matx23d to_crop(fer::align_transform(face, spec).ptr<double>());
    for (std::size_t i = 0; i < face.landmarks->size(); ++i) {
      const cv::Point2f& point = (*face.landmarks)[i];
      const cv::Vec2d there = to_crop * cv::Vec3d(point.x, point.y, 1);
      (*on_crop.landmarks)[2 * i] = there[0] / spec.width;
      (*on_crop.landmarks)[2 * i + 1] = there[1] / spec.height;
    }
  }
  return on_crop;
}

/// Fills the buffer with the crop of a face; false, and a warning, where it could not be had.
bool make_crop(FerCrop* self, const fer::FaceRecord& record, GstBuffer* buffer) {
  Impl& impl = *self->impl;
  const GstVideoInfo& out = GST_VIDEO_FILTER(self)->out_info;
  std::string what = "the buffer for the crop cannot be written";
  try {
    const fer::TrackedFace face = fer::face_in_pixels(record, impl.frame.geometry);
    if (const fer::MappedFrame mapped(out, buffer, GST_MAP_WRITE); mapped) {
      const fer::Stopwatch stopwatch;
      write_crop(self, face, mapped.view());
      const GstClockTime time = stopwatch.elapsed();
      impl.stats.with([&](Stats& stats) {
        ++stats.crops;
        stats.last_crop_time = time;
        stats.total_crop_time += time;
      });
      what.clear();
    }
    if (what.empty()) {
      fer::face_meta_write(buffer, out, {record_on_crop(record, face, impl.frame.spec)},
                           fer::Orientation::kIdentity);
      return true;
    }
  } catch (const std::exception& error) {
    what = error.what();
  }
  fault(self, "A face was not cropped: " + what + ".");
  return false;
}

/// Tells downstream that nothing comes for this frame, so that it does not wait.
void push_gap(FerCrop* self, GstBuffer* buffer) {
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return;
  gst_pad_push_event(GST_BASE_TRANSFORM_SRC_PAD(self),
                     gst_event_new_gap(GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer)));
}

/// Is called again and again until it gives no buffer.
GstFlowReturn generate_output(GstBaseTransform* base, GstBuffer** outbuf) {
  FerCrop* self = FER_CROP(base);
  *outbuf = nullptr;
  return fer::guarded(self, GST_FLOW_ERROR, [&] {
    Frame& frame = self->impl->frame;
    if (base->queued_buf != nullptr) take_frame(self);
    while (frame.next < frame.faces.size()) {
      GstBuffer* made = nullptr;
      const GstFlowReturn result = GST_BASE_TRANSFORM_CLASS(fer_crop_parent_class)
                                       ->prepare_output_buffer(base, frame.buffer.get(), &made);
      if (result != GST_FLOW_OK) {
        frame.clear();
        return result;
      }
      fer::Owned<GstBuffer> crop(made);
      if (frame.any) GST_BUFFER_FLAG_UNSET(made, GST_BUFFER_FLAG_DISCONT);
      if (!make_crop(self, frame.faces[frame.next++], made)) continue;
      frame.any = true;
      *outbuf = crop.release();
      return GST_FLOW_OK;
    }
    if (frame.buffer && !frame.any) push_gap(self, frame.buffer.get());
    frame.clear();
    return GST_FLOW_OK;
  });
}

fer::PropertyTable<Settings> properties() {
  fer::PropertyTable<Settings> properties;
  properties.add(&Settings::align_template, template_type(),
                 {"template", "Template", "Where the five landmarks come to lie in the crop"},
                 fer::kMutablePlaying);
  properties.add(&Settings::margin,
                 {"margin", "Margin",
                  "Extra room on every side of the template, as a share of the crop's side"},
                 0, 0.45, fer::kControllable);
  properties.add(
      &Settings::min_face_size,
      {"min-face-size", "Least face size",
       "Leave out faces whose shorter side has fewer pixels of the frame, as it is shown in "
       "square pixels"},
      0, 16384, fer::kControllable);
  properties.add(&Settings::max_faces,
                 {"max-faces", "Most faces",
                  "Crop at most this many faces of a frame, the surest ones (0 = all)"},
                 0, 10000, fer::kControllable);
  return properties;
}

fer::StatsTable<Stats> statistics() {
  fer::StatsTable<Stats> stats("fer-crop-stats");
  stats.counter(&Stats::frames, {"frames", nullptr, "Frames that passed", {}});
  stats.counter(&Stats::crops, {"crops", nullptr, "Crops that were made", {}});
  stats.counter(&Stats::left_out,
                {"left-out", nullptr, "Faces that were too small or too many", {}});
  stats.counter(&Stats::failed,
                {"failed", nullptr, "Frames or faces that could not be cropped", {}});
  stats.mean_time(&Stats::total_crop_time, &Stats::crops,
                  {"average-crop-time", nullptr, "Time that crops took", {}});
  stats.last_time(&Stats::last_crop_time,
                  {"last-crop-time", nullptr, "Time that the last crop took", {}});
  return stats;
}

}  // namespace

static void fer_crop_class_init(FerCropClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_crop_debug, "fercrop", 0, "Cuts out aligned faces");
  Base::install(klass, properties(), statistics());

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element_class, "Face cropper", "Filter/Converter/Video",
                                        "Turns every face into an aligned crop, one buffer a face",
                                        "gst-fer");
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->transform_caps = transform_caps;
  base_class->fixate_caps = fixate_caps;
  base_class->set_caps = set_caps;
  base_class->transform_meta = transform_meta;
  base_class->start = start;
  base_class->stop = stop;
  base_class->sink_event = sink_event;
  base_class->generate_output = generate_output;
}

static void fer_crop_init(FerCrop* self) {
  Base::init(self);
}
