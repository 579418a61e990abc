#include "cameras/camera_pipeline.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "cameras/rate_gate.h"
#include "config/secret_file.h"
#include "face-meta.h"
#include "gst-owned.h"
#include "motion-jpeg.h"

namespace fer {
namespace {

/// Frames of raw video of the first video stream, in any memory.
constexpr char kDecoded[] = "video/x-raw(ANY)";
constexpr int kJpegQuality = 80;

void set(GstElement* element, const char* property, const std::string& value) {
  gst_util_set_object_arg(G_OBJECT(element), property, value.c_str());
}

}  // namespace

class CameraPipeline::Impl {
 public:
  Impl(const CameraConfig& camera, const CameraShared& shared, const Redactor& redactor,
       OnFrame on_frame, std::shared_ptr<LatestPicture> picture)
      : camera_(camera),
        shared_(shared),
        redactor_(redactor),
        on_frame_(std::move(on_frame)),
        picture_(std::move(picture)),
        frames_gate_(camera.fps),
        pictures_gate_(shared.picture_rate),
        pipeline_(gst_pipeline_new(camera.name.c_str())),
        bus_(gst_element_get_bus(pipeline_.get())) {
    face_meta_register();
    accept_motion_jpeg(pipeline_.get());
    build();
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
      News news = wait(std::chrono::milliseconds(0));
      while (news.kind == News::kWarning) news = wait(std::chrono::milliseconds(0));
      gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
      throw std::runtime_error(news.kind == News::kFailed ? news.text : "it does not start");
    }
  }

  ~Impl() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  News wait(std::chrono::milliseconds timeout) {
    const auto patience = static_cast<GstClockTime>(std::chrono::nanoseconds(timeout).count());
    const auto kinds =
        static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_WARNING);
    const Owned<GstMessage> message(gst_bus_timed_pop_filtered(bus_.get(), patience, kinds));
    if (!message) return {};
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return {News::kEnded, "it ended"};
    GError* error = nullptr;
    gchar* details = nullptr;
    const bool failed = GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR;
    (failed ? gst_message_parse_error : gst_message_parse_warning)(message.get(), &error, &details);
    const Owned<GError> owned(error);
    std::string text = error != nullptr ? error->message : "it failed";
    // The last line of the details, which begin with places in GStreamer's code, says why.
    if (details != nullptr) {
      const std::string all = details;
      const std::size_t line = all.rfind('\n');
      if (line != std::string::npos && line + 1 < all.size())
        text.append(" (").append(all, line + 1).append(")");
      g_free(details);
    }
    return {failed ? News::kFailed : News::kWarning, redactor_(text)};
  }

  void make_pictures(bool wanted) { pictures_ = wanted; }

  bool has_length() {
    gint64 length = 0;
    return gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &length) == TRUE &&
           length > 0;
  }

  bool rewind() {
    return gst_element_seek_simple(
               pipeline_.get(), GST_FORMAT_TIME,
               static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT), 0) == TRUE;
  }

 private:
  /// A new element of the pipeline, which owns it. `part` makes its name.
  GstElement* add(const char* factory, const std::string& part) {
    GstElement* element = gst_element_factory_make(factory, (camera_.name + "-" + part).c_str());
    if (element == nullptr) {
      throw std::runtime_error("GStreamer does not find the element " + std::string(factory) +
                               "; fer doctor says why");
    }
    gst_bin_add(GST_BIN(pipeline_.get()), element);
    return element;
  }

  /// The same, behind the last one.
  GstElement* then(const char* factory, const std::string& part) {
    GstElement* element = add(factory, part);
    if (last_ != nullptr && gst_element_link(last_, element) == FALSE)
      throw std::runtime_error(std::string(factory) + " cannot follow what is before it");
    return last_ = element;
  }

  void build() {
    const bool unpaced = is_unpaced(camera_.uri);
    GstElement* queue = then("queue", "queue");
    if (!unpaced) {
      // A late frame is better dropped than waited for.
      g_object_set(queue, "max-size-buffers", 2u, "max-size-bytes", 0u, "max-size-time", guint64{0},
                   nullptr);
      set(queue, "leaky", "downstream");
    }
    build_source(queue);
    if (unpaced) {
      // At the pace at which it was taken, as a camera would send it.
      g_object_set(then("identity", "pace"), "sync", TRUE, nullptr);
    }
    thin(last_, "src", frames_gate_);
    then("videoconvert", "convert");
    set(then("videoflip", "turn"), "video-direction", "auto");
    build_faces();
    build_ends();
  }

  /// Lets no more than the gate's frames through the pad.
  static void thin(GstElement* element, const char* pad_name, RateGate& gate) {
    GstPad* pad = gst_element_get_static_pad(element, pad_name);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_thinned, &gate, nullptr);
    gst_object_unref(pad);
  }

  void build_source(GstElement* queue) {
    GstElement* source = add("uridecodebin", "source");
    std::string uri = camera_.uri;
    if (!camera_.user.empty())
      uri = with_credentials(uri, camera_.user, read_secret(camera_.password_file));
    GstCaps* caps = gst_caps_from_string(kDecoded);
    g_object_set(source, "uri", uri.c_str(), "caps", caps, "expose-all-streams", FALSE,
                 "force-sw-decoders", static_cast<gboolean>(camera_.software_decoder), nullptr);
    gst_caps_unref(caps);
    g_signal_connect(source, "source-setup", G_CALLBACK(on_source), this);
    g_signal_connect(source, "pad-added", G_CALLBACK(on_pad), queue);
    GstPad* pad = gst_element_get_static_pad(queue, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, name_stream, this, nullptr);
    gst_object_unref(pad);
  }

  void build_faces() {
    GstElement* detect = then("ferdetect", "detect");
    apply(camera_.detect, detect);
    GstElement* classify = then("ferinfer", "classify");
    apply(camera_.classify, classify);
    const SlotConfig& slot = shared_.slot;
    set(classify, "model-slot", slot.name);
    if (!slot.model.empty()) g_object_set(classify, "model", slot.model.c_str(), nullptr);
    std::vector<GstElement*> counted{detect, classify};
    if (slot.learns) {
      GstElement* learn = then("ferlearn", "learn");
      apply(slot.learn, learn);
      set(learn, "model-slot", slot.name);
      if (!slot.model.empty()) g_object_set(learn, "source-model", slot.model.c_str(), nullptr);
      counted.push_back(learn);
    }
    int number = 0;
    for (const ElementSettings& records : camera_.records) {
      GstElement* publish = then("ferpublish", "records" + std::to_string(++number));
      // A restart must not throw away what was written before it.
      g_object_set(publish, "append", TRUE, nullptr);
      apply(records, publish);
      counted.push_back(publish);
    }
    if (shared_.metrics.empty()) return;
    for (GstElement* element : counted)
      g_object_set(element, "metrics-address", shared_.metrics.c_str(), nullptr);
  }

  void build_ends() {
    GstElement* tee = shared_.pictures ? then("tee", "tee") : last_;
    GstElement* sink = then("fakesink", "end");
    g_object_set(sink, "sync", FALSE, "enable-last-sample", FALSE, nullptr);
    GstPad* pad = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
    gst_object_unref(pad);
    if (!shared_.pictures) return;
    last_ = tee;
    GstElement* queue = then("queue", "pictures");
    g_object_set(queue, "max-size-buffers", 1u, "max-size-bytes", 0u, "max-size-time", guint64{0},
                 nullptr);
    set(queue, "leaky", "downstream");
    GstPad* entry = gst_element_get_static_pad(queue, "sink");
    gst_pad_add_probe(entry, GST_PAD_PROBE_TYPE_BUFFER, on_frame_to_show, this, nullptr);
    gst_object_unref(entry);
    then("videoconvert", "picture-convert");
    then("videoscale", "picture-scale");
    GstCaps* caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width",
                                        GST_TYPE_INT_RANGE, 16, shared_.picture_width, "height",
                                        GST_TYPE_INT_RANGE, 16, 4 * shared_.picture_width,
                                        "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr);
    g_object_set(then("capsfilter", "picture-caps"), "caps", caps, nullptr);
    gst_caps_unref(caps);
    GstElement* overlay = then("feroverlay", "overlay");
    apply(camera_.overlay, overlay);
    if (!camera_.blur.empty()) set(overlay, "blur", camera_.blur);
    g_object_set(then("jpegenc", "jpeg"), "quality", kJpegQuality, nullptr);
    GstElement* app = then("appsink", "picture");
    // It must not hold up the pipeline's start while it gets no pictures.
    g_object_set(app, "sync", FALSE, "async", FALSE, "max-buffers", 1u, "drop", TRUE,
                 "enable-last-sample", FALSE, nullptr);
    GstAppSinkCallbacks callbacks{};
    callbacks.new_sample = on_picture;
    gst_app_sink_set_callbacks(GST_APP_SINK(app), &callbacks, this, nullptr);
  }

  // --- What GStreamer calls, on its threads.

  static void on_source(GstElement*, GstElement* source, gpointer self) {
    const CameraConfig& camera = static_cast<Impl*>(self)->camera_;
    GObjectClass* type = G_OBJECT_GET_CLASS(source);
    // Of rtspsrc, and of others that have it in the same unit.
    GParamSpec* latency = g_object_class_find_property(type, "latency");
    if (latency != nullptr && latency->value_type == G_TYPE_UINT)
      g_object_set(source, "latency", static_cast<guint>(camera.latency_ms), nullptr);
    if (g_object_class_find_property(type, "drop-on-latency") != nullptr)
      g_object_set(source, "drop-on-latency", TRUE, nullptr);
    // What waits to be asked starts before the pipeline's clock does: its times would be another's.
    if (g_object_class_find_property(type, "do-timestamp") != nullptr && !is_unpaced(camera.uri))
      g_object_set(source, "do-timestamp", TRUE, nullptr);
  }

  static void on_pad(GstElement*, GstPad* pad, gpointer queue) {
    GstPad* sink = gst_element_get_static_pad(GST_ELEMENT(queue), "sink");
    // The first stream of video; sound and others stay unlinked.
    GstCaps* caps = gst_pad_query_caps(pad, nullptr);
    const bool video =
        gst_caps_get_size(caps) > 0 &&
        g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "video/");
    gst_caps_unref(caps);
    if (video && !gst_pad_is_linked(sink)) gst_pad_link(pad, sink);
    gst_object_unref(sink);
  }

  /// Learners tell sources apart by the stream's id. It is the camera's name: the same after each
  /// restart, without anything of the address in it.
  static GstPadProbeReturn name_stream(GstPad*, GstPadProbeInfo* info, gpointer self) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) != GST_EVENT_STREAM_START) return GST_PAD_PROBE_OK;
    GstEvent* named = gst_event_new_stream_start(static_cast<Impl*>(self)->camera_.name.c_str());
    GstStreamFlags flags = GST_STREAM_FLAG_NONE;
    gst_event_parse_stream_flags(event, &flags);
    gst_event_set_stream_flags(named, flags);
    guint group = 0;
    if (gst_event_parse_group_id(event, &group)) gst_event_set_group_id(named, group);
    gst_event_unref(event);
    GST_PAD_PROBE_INFO_DATA(info) = named;
    return GST_PAD_PROBE_OK;
  }

  static GstPadProbeReturn on_thinned(GstPad*, GstPadProbeInfo* info, gpointer gate) {
    const GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    if (!GST_BUFFER_PTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
    const auto time_ns = static_cast<std::int64_t>(GST_BUFFER_PTS(buffer));
    return static_cast<RateGate*>(gate)->passes(time_ns) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  }

  /// Stops frames alone: a valve would stop flushes as well, and a recording that begins anew would
  /// find its end there.
  static GstPadProbeReturn on_frame_to_show(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Impl*>(data);
    return self->pictures_ ? on_thinned(pad, info, &self->pictures_gate_) : GST_PAD_PROBE_DROP;
  }

  static GstPadProbeReturn on_buffer(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Impl*>(data);
    std::vector<std::string> labels;
    std::vector<SeenExpression> faces;
    const auto found = face_meta_read(GST_PAD_PROBE_INFO_BUFFER(info));
    if (found) {
      for (const FaceRecord& face : *found) {
        SeenExpression seen;
        seen.person = face.track_id;
        if (face.expression) {
          if (labels.empty()) labels = face.expression->labels;
          seen.probabilities = face.expression->probabilities;
          seen.unsure = face.expression->unsure;
        }
        faces.push_back(std::move(seen));
      }
    }
    self->on_frame_(labels, std::move(faces));
    return GST_PAD_PROBE_OK;
  }

  static GstFlowReturn on_picture(GstAppSink* app, gpointer self) {
    GstSample* sample = gst_app_sink_pull_sample(app);
    if (sample == nullptr) return GST_FLOW_EOS;
    GstMapInfo map;
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    if (buffer != nullptr && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
      static_cast<Impl*>(self)->picture_->put(
          std::string(reinterpret_cast<const char*>(map.data), map.size));
      gst_buffer_unmap(buffer, &map);
    }
    gst_sample_unref(sample);
    return GST_FLOW_OK;
  }

  const CameraConfig camera_;
  const CameraShared shared_;
  const Redactor& redactor_;
  const OnFrame on_frame_;
  const std::shared_ptr<LatestPicture> picture_;
  RateGate frames_gate_, pictures_gate_;  ///< Of the streaming threads.
  const Owned<GstElement> pipeline_;
  const Owned<GstBus> bus_;
  GstElement* last_ = nullptr;  ///< The last one linked; the pipeline's.
  std::atomic<bool> pictures_{false};
};

CameraPipeline::CameraPipeline(const CameraConfig& camera, const CameraShared& shared,
                               const Redactor& redactor, OnFrame on_frame,
                               std::shared_ptr<LatestPicture> picture)
    : impl_(std::make_unique<Impl>(camera, shared, redactor, std::move(on_frame),
                                   std::move(picture))) {}
CameraPipeline::~CameraPipeline() = default;
CameraPipeline::News CameraPipeline::wait(std::chrono::milliseconds timeout) {
  return impl_->wait(timeout);
}
void CameraPipeline::make_pictures(bool wanted) {
  impl_->make_pictures(wanted);
}
bool CameraPipeline::has_length() {
  return impl_->has_length();
}
bool CameraPipeline::rewind() {
  return impl_->rewind();
}

}  // namespace fer
