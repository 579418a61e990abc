#include "ferpublish.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "element-metrics.h"
#include "element-util.h"
#include "face-meta.h"
#include "frame-record.h"
#include "line-sink.h"
#include "property-table.h"
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

struct Parts {
  fer::Locked<Settings> settings;
  /// Between start() and stop(). Property calls take a reference of their own.
  fer::Locked<std::shared_ptr<fer::Publisher>> publisher;
  fer::Locked<fer::Publisher::Stats> last_stats;  ///< Of the publisher that was there before.
  fer::WarningLimiter fault, overflow;
  fer::ElementMetrics metrics;
  // Only the streaming thread uses these, and stop(), while that does not run. 0: no caps yet.
  gint width = 0, height = 0;
};

}  // namespace

struct _FerPublish {
  GstBaseTransform parent;
  Parts* parts;
};

G_DEFINE_FINAL_TYPE(FerPublish, fer_publish, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(ferpublish, "ferpublish", GST_RANK_NONE, FER_TYPE_PUBLISH)

namespace {

// No pixel is looked at, so video may lie in any memory.
GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS("video/x-raw(ANY)"));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                            GST_STATIC_CAPS("video/x-raw(ANY)"));

// --- Properties.

fer::PropertyTable<Settings> properties;  ///< Filled by class_init, read from then on.

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Parts& parts = *FER_PUBLISH(object)->parts;
  const guint max_queue = parts.settings.with([&](Settings& settings) {
    properties.set(settings, object, id, value, spec);
    return settings.max_queue;
  });
  const std::shared_ptr<fer::Publisher> publisher = parts.publisher.copy();
  if (publisher) publisher->set_max_queue(max_queue);
}

fer::Publisher::Stats current_stats(Parts& parts) {
  const std::shared_ptr<fer::Publisher> publisher = parts.publisher.copy();
  return publisher ? publisher->stats() : parts.last_stats.copy();
}

GstStructure* structure_of(const fer::Publisher::Stats& stats) {
  return gst_structure_new("fer-publish-stats", "published", G_TYPE_UINT64, stats.published,
                           "dropped", G_TYPE_UINT64, stats.dropped, "bytes", G_TYPE_UINT64,
                           stats.bytes, "queued", G_TYPE_UINT64, static_cast<guint64>(stats.queued),
                           "connected", G_TYPE_BOOLEAN, stats.connected, "reconnects",
                           G_TYPE_UINT64, stats.reconnects, nullptr);
}

fer::Metrics metrics_of(const fer::Publisher::Stats& stats) {
  fer::Metrics metrics;
  metrics.counter("fer_publish_records_total", "Records that were published",
                  static_cast<double>(stats.published));
  metrics.counter("fer_publish_dropped_total", "Records that were not",
                  static_cast<double>(stats.dropped));
  metrics.counter("fer_publish_bytes_total", "Bytes of the records that were published",
                  static_cast<double>(stats.bytes));
  metrics.counter("fer_publish_reconnects_total",
                  "How often the broker or the reader came back after it was lost",
                  static_cast<double>(stats.reconnects));
  metrics.gauge("fer_publish_queued_records", "Records that wait",
                static_cast<double>(stats.queued));
  metrics.gauge("fer_publish_connected", "1 while file or broker take any, else 0",
                stats.connected ? 1 : 0);
  return metrics;
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Parts& parts = *FER_PUBLISH(object)->parts;
  if (id == properties.stats_id()) {
    g_value_take_boxed(value, structure_of(current_stats(parts)));
  } else if (id == properties.stats_id() + 1) {
    fer::get_metrics_url(parts.metrics, value);
  } else {
    properties.get(parts.settings.copy(), object, id, value, spec);
  }
}

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
  Parts& parts = *FER_PUBLISH(base)->parts;
  return fer::guarded(base, FALSE, [&]() -> gboolean {
    const Settings settings = parts.settings.copy();
    std::unique_ptr<fer::LineSink> sink;
    try {
      sink = open_sink(settings);
    } catch (const std::runtime_error& error) {
      GST_ELEMENT_ERROR(base, RESOURCE, OPEN_WRITE, ("%s", error.what()), (nullptr));
      return FALSE;
    }
    parts.fault.reset();
    parts.overflow.reset();
    auto publisher = std::make_shared<fer::Publisher>(
        std::move(sink), settings.max_queue, [base, &parts](const std::string& fault) {
          fer::warn_limited(GST_ELEMENT(base), parts.fault, fault);
        });
    parts.publisher.with([&](auto& held) { held = std::move(publisher); });
    parts.metrics.start(GST_ELEMENT(base), settings.metrics_address, "",
                        [&parts] { return metrics_of(current_stats(parts)); });
    return TRUE;
  });
}

gboolean stop(GstBaseTransform* base) {
  Parts& parts = *FER_PUBLISH(base)->parts;
  return fer::guarded(base, TRUE, [&] {
    parts.metrics.stop(GST_ELEMENT(base));
    parts.width = parts.height = 0;
    std::shared_ptr<fer::Publisher> publisher =
        parts.publisher.with([](auto& held) { return std::exchange(held, nullptr); });
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
    parts.last_stats.with([&](auto& last) { last = stats; });
    return TRUE;
  });
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) {
    // The streaming thread may be waiting at the end of the stream; stop() waits in its place.
    const std::shared_ptr<fer::Publisher> publisher = FER_PUBLISH(element)->parts->publisher.copy();
    if (publisher) publisher->interrupt(true);
  }
  return GST_ELEMENT_CLASS(fer_publish_parent_class)->change_state(element, change);
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  Parts& parts = *FER_PUBLISH(base)->parts;
  const GstStructure* video = gst_caps_get_structure(in, 0);
  return gst_structure_get_int(video, "width", &parts.width) &&
         gst_structure_get_int(video, "height", &parts.height);
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  fer::guarded(base, false, [&] {
    const std::shared_ptr<fer::Publisher> publisher = FER_PUBLISH(base)->parts->publisher.copy();
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
  Parts& parts = *FER_PUBLISH(base)->parts;
  // The base class lets buffers without caps through to a filter that passes them on as they are.
  if (parts.width == 0) return GST_FLOW_NOT_NEGOTIATED;
  return fer::guarded(base, GST_FLOW_ERROR, [&] {
    const std::shared_ptr<fer::Publisher> publisher = parts.publisher.copy();
    fer::FrameRecord record;
    const GstClockTime time = fer::stream_time(base, buffer);
    if (GST_CLOCK_TIME_IS_VALID(time)) record.timestamp = time;
    record.width = parts.width;
    record.height = parts.height;
    record.faces = fer::face_meta_read(buffer).value_or(std::vector<fer::FaceRecord>());
    if (!publisher->push(std::move(record))) {
      fer::warn_limited(GST_ELEMENT(base), parts.overflow,
                        "The oldest records are dropped: frames come faster than they are "
                        "published.");
    }
    return GST_FLOW_OK;
  });
}

// --- Life.

void finalize(GObject* object) {
  delete FER_PUBLISH(object)->parts;
  G_OBJECT_CLASS(fer_publish_parent_class)->finalize(object);
}

void install_properties(GObjectClass* klass) {
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
  fer::add_metrics_address(properties, &Settings::metrics_address);
  properties.install(klass,
                     "Since the start: published (records), dropped (records), bytes, reconnects "
                     "(of a broker or FIFO that was lost); queued (records that wait), connected "
                     "(whether file or broker take any)");
  fer::install_metrics_url(klass, properties.stats_id() + 1);
}

}  // namespace

static void fer_publish_class_init(FerPublishClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_publish_debug, "ferpublish", 0, "Publishes faces as JSON");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties(object_class);

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
  self->parts = new Parts;
  // For good: buffers pass as they are, shared or not.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}
