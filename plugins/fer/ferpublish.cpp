#include "ferpublish.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "element-base.h"
#include "element-util.h"
#include "face-meta.h"
#include "faces-on-frame.h"
#include "frame-record.h"
#include "line-sink.h"
#include "publisher.h"

GST_DEBUG_CATEGORY_STATIC(fer_publish_debug);
#define GST_CAT_DEFAULT fer_publish_debug

namespace {

/// At the end of the stream, and when the element stops, whoever waits for complete files does so
/// for this long at most.
constexpr std::chrono::milliseconds kFinishTime(3000), kStopTime(1000);

enum class Method {
  kFile,
  kStdout,
#ifdef HAVE_MQTT
  kMqtt,
#endif
};

GType method_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Method::kFile), "A file, FIFO or device, one line a frame", "file"},
      {static_cast<gint>(Method::kStdout), "Standard output, one line a frame", "stdout"},
#ifdef HAVE_MQTT
      {static_cast<gint>(Method::kMqtt), "An MQTT broker, one message a frame", "mqtt"},
#endif
      {0, nullptr, nullptr}};
  return fer::enum_type("FerPublishMethod", values);
}

struct Settings {
  Method method = Method::kFile;
  std::string location;
  bool append = false;
  std::string address = "localhost:1883";
  std::string topic = "fer/faces";
  guint max_queue = 1000;
  std::string metrics_address;
};

struct Impl : fer::ElementImpl<Settings, fer::Publisher::Stats> {
  /// Between start() and stop(). Property calls take a reference of their own.
  fer::Locked<std::shared_ptr<fer::Publisher>> publisher;
  fer::WarningLimiter overflow;
  // Only the streaming thread uses these, and stop(), while that does not run. 0: no caps yet.
  gint width = 0, height = 0;
  double pixel_aspect = 1;
  fer::WarningLimiter changed;

  void apply(const Settings& now, const char* /*property*/) {
    if (const auto running = publisher.copy()) running->set_max_queue(now.max_queue);
  }
  /// The publisher's; after stop() what the last one left.
  fer::Publisher::Stats current_stats() {
    const auto running = publisher.copy();
    return running ? running->stats() : stats.copy();
  }
};

}  // namespace

struct _FerPublish {
  GstBaseTransform parent;
  Impl* impl;
};

G_DEFINE_FINAL_TYPE(FerPublish, fer_publish, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(ferpublish, "ferpublish", GST_RANK_NONE, FER_TYPE_PUBLISH)

namespace {

using Base = fer::ElementBase<FerPublish>;

// No pixel is looked at, so video may lie in any memory.
GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS("video/x-raw(ANY)"));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                            GST_STATIC_CAPS("video/x-raw(ANY)"));

// --- Start and stop.

std::unique_ptr<fer::LineSink> open_sink(const Settings& settings) {
  switch (settings.method) {
    case Method::kStdout:
      return fer::open_stdout_sink();
#ifdef HAVE_MQTT
    case Method::kMqtt:
      return fer::open_mqtt_sink(settings.address, settings.topic);
#endif
    case Method::kFile:
      break;
  }
  if (settings.location.empty()) {
    throw std::runtime_error("There is no file to publish to: set location.");
  }
  return fer::open_file_sink(settings.location, settings.append);
}

gboolean start(GstBaseTransform* base) {
  Impl& impl = *FER_PUBLISH(base)->impl;
  return fer::guarded(base, FALSE, [&]() -> gboolean {
    const Settings settings = impl.settings.copy();
    std::unique_ptr<fer::LineSink> sink;
    try {
      sink = open_sink(settings);
    } catch (const std::runtime_error& error) {
      GST_ELEMENT_ERROR(base, RESOURCE, OPEN_WRITE, ("%s", error.what()), (nullptr));
      return FALSE;
    }
    impl.overflow.reset();
    impl.changed.reset();
    auto publisher = std::make_shared<fer::Publisher>(
        std::move(sink), settings.max_queue, [base, &impl](const std::string& fault) {
          fer::warn_limited(GST_ELEMENT(base), impl.fault, fault);
        });
    impl.publisher.with([&](auto& held) { held = std::move(publisher); });
    Base::start(FER_PUBLISH(base));
    return TRUE;
  });
}

gboolean stop(GstBaseTransform* base) {
  Impl& impl = *FER_PUBLISH(base)->impl;
  return fer::guarded(base, TRUE, [&] {
    Base::stop(FER_PUBLISH(base));
    impl.width = impl.height = 0;
    std::shared_ptr<fer::Publisher> publisher =
        impl.publisher.with([](auto& held) { return std::exchange(held, nullptr); });
    if (!publisher) return TRUE;
    publisher->interrupt(false);
    publisher->finish(kStopTime);
    fer::Publisher::Stats stats = publisher->stats();
    stats.dropped += std::exchange(stats.queued, 0);
    stats.connected = false;
    if (stats.dropped > 0) {
      GST_WARNING_OBJECT(base, "%" G_GUINT64_FORMAT " records were not published",
                         static_cast<guint64>(stats.dropped));
    }
    impl.stats.with([&](auto& last) { last = stats; });
    return TRUE;
  });
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) {
    // The streaming thread may be waiting at the end of the stream; stop() waits in its place.
    const std::shared_ptr<fer::Publisher> publisher = FER_PUBLISH(element)->impl->publisher.copy();
    if (publisher) publisher->interrupt(true);
  }
  return GST_ELEMENT_CLASS(fer_publish_parent_class)->change_state(element, change);
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  Impl& impl = *FER_PUBLISH(base)->impl;
  const GstStructure* video = gst_caps_get_structure(in, 0);
  gint n = 1, d = 1;
  const bool stretched = gst_structure_get_fraction(video, "pixel-aspect-ratio", &n, &d);
  impl.pixel_aspect = stretched && n > 0 && d > 0 ? static_cast<double>(n) / d : 1;
  return gst_structure_get_int(video, "width", &impl.width) &&
         gst_structure_get_int(video, "height", &impl.height);
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  fer::guarded(base, false, [&] {
    const std::shared_ptr<fer::Publisher> publisher = FER_PUBLISH(base)->impl->publisher.copy();
    if (!publisher) return false;
    switch (GST_EVENT_TYPE(event)) {
      case GST_EVENT_FLUSH_START:
        publisher->interrupt(true);
        break;
      case GST_EVENT_FLUSH_STOP:
        publisher->interrupt(false);
        break;
      case GST_EVENT_EOS:
        // Who sees the end of the stream may rely on the file.
        if (!publisher->finish(kFinishTime)) {
          GST_WARNING_OBJECT(base, "the stream ended before all records were published");
        }
        break;
      default:
        break;
    }
    return true;
  });
  return GST_BASE_TRANSFORM_CLASS(fer_publish_parent_class)->sink_event(base, event);
}

// --- The streaming thread.

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  Impl& impl = *FER_PUBLISH(base)->impl;
  // The base class lets buffers without caps through to a filter that passes them on as they are.
  if (impl.width == 0) return GST_FLOW_NOT_NEGOTIATED;
  return fer::guarded(base, GST_FLOW_ERROR, [&] {
    const std::shared_ptr<fer::Publisher> publisher = impl.publisher.copy();
    fer::FrameRecord record;
    const GstClockTime time = fer::stream_time(base, buffer);
    if (GST_CLOCK_TIME_IS_VALID(time)) record.timestamp = time;
    record.width = impl.width;
    record.height = impl.height;
    record.pixel_aspect = impl.pixel_aspect;
    record.orientation = fer::face_meta_orientation(buffer);
    record.faces =
        fer::faces_on_frame(GST_ELEMENT(base), buffer, impl.width, impl.height, impl.changed)
            .value_or(std::vector<fer::FaceRecord>());
    if (!publisher->push(std::move(record))) {
      fer::warn_limited(GST_ELEMENT(base), impl.overflow,
                        "The oldest records are dropped: frames come faster than they are "
                        "published.");
    }
    return GST_FLOW_OK;
  });
}

// --- Life.

fer::PropertyTable<Settings> properties() {
  fer::PropertyTable<Settings> properties;
  properties.add(&Settings::method, method_type(), {"method", "Method", "Where the records go"},
                 fer::kMutableReady);
  properties.add(&Settings::location,
                 {"location", "Location",
                  "The file to write (method=file); it is made, or overwritten. A FIFO is written "
                  "to as soon as it has a reader"},
                 fer::kMutableReady);
  properties.add(&Settings::append,
                 {"append", "Append", "Keep what the file holds and write behind it (method=file)"},
                 fer::kMutableReady);
#ifdef HAVE_MQTT
  properties.add(&Settings::address,
                 {"address", "Address",
                  "The MQTT broker (method=mqtt): host, host:port or "
                  "mqtt://[user:password@]host[:port]"},
                 fer::kMutableReady);
  properties.add(&Settings::topic, {"topic", "Topic", "The MQTT topic (method=mqtt)"},
                 fer::kMutableReady);
#endif
  properties.add(&Settings::max_queue,
                 {"max-queue", "Maximum queue",
                  "How many records may wait until they can be written; then the oldest are "
                  "dropped"},
                 1, G_MAXUINT, fer::kMutablePlaying);
  return properties;
}

fer::StatsTable<fer::Publisher::Stats> statistics() {
  using Stats = fer::Publisher::Stats;
  fer::StatsTable<Stats> stats("fer-publish-stats");
  stats.counter(&Stats::published,
                {"published", "fer_publish_records_total", "Records that were published", {}});
  stats.counter(
      &Stats::dropped,
      {"dropped", "fer_publish_dropped_total", "Records that were dropped or failed", {}});
  stats.counter(
      &Stats::bytes,
      {"bytes", "fer_publish_bytes_total", "Bytes of the records that were published", {}});
  stats.counter(&Stats::reconnects,
                {"reconnects",
                 "fer_publish_reconnects_total",
                 "Times that the broker, or the reader of a FIFO, came back after it was lost",
                 {}});
  stats.gauge(&Stats::queued, {"queued", "fer_publish_queued_records", "Records that wait", {}});
  stats.gauge(
      &Stats::connected,
      {"connected", "fer_publish_connected", "Whether the file or the broker takes records", {}});
  return stats;
}

}  // namespace

static void fer_publish_class_init(FerPublishClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_publish_debug, "ferpublish", 0, "Publishes faces as JSON");
  Base::install(klass, properties(), statistics());

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Face publisher", "Filter/Metadata/Video",
                                        "Writes the faces and expressions of each frame as JSON to "
                                        "a file, standard output or an MQTT "
                                        "broker",
                                        "gst-fer");

  GstBaseTransformClass* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->passthrough_on_same_caps = TRUE;
  transform_class->start = start;
  transform_class->stop = stop;
  transform_class->set_caps = set_caps;
  transform_class->sink_event = sink_event;
  transform_class->transform_ip = transform_ip;
}

static void fer_publish_init(FerPublish* self) {
  Base::init(self);
  // For good: buffers pass as they are, shared or not.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}
