#include "watch/pipeline.h"

#include <gst/video/video.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "model/find_model.h"
#include "motion-jpeg.h"
#include "video-frame.h"
#include "watch/inputs.h"

namespace fer {
namespace {

/// Of all our ferinfer.
constexpr char kSlot[] = "fer-watch";
constexpr int kThumbnailWidth = 200;
constexpr double kUsualRate = 30;

/// Debian's GStreamer does not look where we are installed unless that is /usr.
void find_elements() {
  if (!has_element("ferdetect")) gst_registry_scan_path(gst_registry_get(), FER_PLUGINS_DIR);
  for (const char* element : {"ferdetect", "ferinfer", "feroverlay"}) {
    if (has_element(element)) continue;
    throw std::runtime_error(std::string(element) +
                             ": GStreamer does not know this element; name the folder of our "
                             "plugins in GST_PLUGIN_PATH (fer doctor says what is missing)");
  }
}

void tell(const Owned<GstElement>& pipeline, const WatchSettings& settings) {
  const auto detect = element_of(pipeline, "detect"), infer = element_of(pipeline, "infer");
  // A file that is replaced meanwhile must not change what the same table says.
  g_object_set(infer.get(), "model-slot", kSlot, "reload", FALSE, "reclassify-interval",
               static_cast<guint>(settings.reclassify_interval), nullptr);
  if (!settings.model.empty()) g_object_set(infer.get(), "model", settings.model.c_str(), nullptr);
  g_object_set(detect.get(), "inference-interval", static_cast<guint>(settings.inference_interval),
               nullptr);
  if (settings.detect_width > 0)
    g_object_set(detect.get(), "detect-width", static_cast<guint>(settings.detect_width), nullptr);
}

/// A JPEG; empty where none can be made.
std::string thumbnail_of(GstBuffer* buffer, const GstCaps* caps, const GstVideoInfo& info) {
  const double shape = info.height / (info.width * pixel_aspect_of(info));
  const int height = std::max(1, static_cast<int>(kThumbnailWidth * shape));
  const Owned<GstSample> sample(
      gst_sample_new(buffer, const_cast<GstCaps*>(caps), nullptr, nullptr));
  const Owned<GstCaps> wanted(
      gst_caps_new_simple("image/jpeg", "width", G_TYPE_INT, kThumbnailWidth, "height", G_TYPE_INT,
                          height, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
  GError* failed = nullptr;
  const Owned<GstSample> small(
      gst_video_convert_sample(sample.get(), wanted.get(), 2 * GST_SECOND, &failed));
  const Owned<GError> error(failed);
  if (!small) return {};
  GstMapInfo bytes;
  GstBuffer* jpeg = gst_sample_get_buffer(small.get());
  if (!gst_buffer_map(jpeg, &bytes, GST_MAP_READ)) return {};
  std::string text(reinterpret_cast<const char*>(bytes.data), bytes.size);
  gst_buffer_unmap(jpeg, &bytes);
  return text;
}

/// Seconds from the beginning of the stream; nullopt where the buffer does not say.
std::optional<double> time_of(GstPad* pad, GstBuffer* buffer) {
  GstClockTime time = GST_BUFFER_PTS(buffer);
  if (!GST_CLOCK_TIME_IS_VALID(time)) return {};
  if (GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0)) {
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event, &segment);
    if (segment->format == GST_FORMAT_TIME) {
      const GstClockTime stream = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, time);
      if (GST_CLOCK_TIME_IS_VALID(stream)) time = stream;
    }
    gst_event_unref(event);
  }
  return static_cast<double>(time) / GST_SECOND;
}

}  // namespace

Owned<GstElement> element_of(const Owned<GstElement>& pipeline, const char* name) {
  return Owned<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
}

Owned<GstElement> watching_pipeline(const std::string& description, const WatchSettings& settings,
                                    const std::string& name) {
  GError* failed = nullptr;
  Owned<GstElement> pipeline(gst_parse_launch(description.c_str(), &failed));
  if (failed) {
    const Owned<GError> error(failed);
    throw std::runtime_error(one_line(name) + ": cannot be watched: " + error->message +
                             "; scripts/setup installs what is missing");
  }
  accept_motion_jpeg(pipeline.get());
  tell(pipeline, settings);
  return pipeline;
}

std::string waiting_error(GstBus* bus) {
  const Owned<GstMessage> message(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
  return message ? error_text(message.get()) : "";
}

WatchElements::WatchElements(const WatchSettings& settings) {
  init_gstreamer();
  find_elements();
  const auto model = settings.model.empty() ? require_expression_model() : settings.model;
  // It waits for frames that never come, and keeps the model meanwhile.
  pipeline_ = watching_pipeline(
      "appsrc caps=video/x-raw,format=BGR,width=64,height=64,framerate=0/1 ! ferdetect name=detect "
      "! ferinfer name=infer ! fakesink async=false",
      settings, model.string());
  const Owned<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    const std::string why = waiting_error(bus.get());
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    throw std::runtime_error(why.empty() ? "the elements do not start" : why);
  }
  for (const char* name : {"detect", "infer"}) {
    const auto element = element_of(pipeline_, name);
    GstStructure* stats = nullptr;
    g_object_get(element.get(), "stats", &stats, nullptr);
    for (const char* field : {"detector", "model-version"}) {
      const gchar* text = stats ? gst_structure_get_string(stats, field) : nullptr;
      if (text) identity_ += std::string(text) + " ";
    }
    if (stats) gst_structure_free(stats);
  }
}

WatchElements::~WatchElements() {
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

FrameProbe::FrameProbe(const Owned<GstElement>& pipeline, std::function<void(SeenFrame)> on_frame,
                       std::function<bool(double time)> wants_thumbnail)
    : on_frame_(std::move(on_frame)), wants_thumbnail_(std::move(wants_thumbnail)) {
  const auto infer = element_of(pipeline, "infer");
  const Owned<GstPad> pad(gst_element_get_static_pad(infer.get(), "src"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_data, this, nullptr);
}

GstPadProbeReturn FrameProbe::on_data(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  static_cast<FrameProbe*>(self)->see(pad, GST_PAD_PROBE_INFO_BUFFER(info));
  return GST_PAD_PROBE_OK;
}

void FrameProbe::see(GstPad* pad, GstBuffer* buffer) {
  const Owned<GstCaps> caps(gst_pad_get_current_caps(pad));
  const auto info = caps ? raw_video_info(nullptr, caps.get()) : std::nullopt;
  if (!info) return;
  const double rate = info->fps_n > 0 ? static_cast<double>(info->fps_n) / info->fps_d : kUsualRate;
  SeenFrame frame;
  frame.number = frames_++;
  frame.time = time_of(pad, buffer).value_or(frame.number == 0 ? 0 : last_time_ + 1 / rate);
  last_time_ = frame.time;
  frame.geometry = face_meta_geometry(buffer).value_or(geometry_of(*info));
  frame.faces = face_meta_read(buffer).value_or(std::vector<FaceRecord>{});
  if (wants_thumbnail_(frame.time)) frame.thumbnail = thumbnail_of(buffer, caps.get(), *info);
  on_frame_(std::move(frame));
}

}  // namespace fer
