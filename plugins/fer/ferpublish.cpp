#include "ferpublish.h"

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "element-base.h"
#include "element-util.h"
#include "face-meta.h"
#include "faces-on-frame.h"
#include "frame-record.h"
#include "frame-time.h"
#include "line-sink.h"
#ifdef HAVE_MQTT
#include "mqtt-sink.h"
#include "mqtt/mqtt_address.h"
#endif
#include "publisher.h"
#include "record-filter.h"

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
  kDescriptor = 3,
};

GType method_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Method::kFile), "A file, FIFO or device, one line a frame", "file"},
      {static_cast<gint>(Method::kStdout), "Standard output, one line a frame", "stdout"},
#ifdef HAVE_MQTT
      {static_cast<gint>(Method::kMqtt), "An MQTT broker, one message a frame", "mqtt"},
#endif
      {static_cast<gint>(Method::kDescriptor), "An open file descriptor (fd), one line a frame",
       "fd"},
      {0, nullptr, nullptr}};
  return fer::enum_type("FerPublishMethod", values);
}

struct Settings {
  Method method = Method::kFile;
  std::string location;
  bool append = false;
  guint fd = 1;
  std::string source, tags;
  bool on_change = false;
  guint min_interval = 0;  ///< Milliseconds.
#ifdef HAVE_MQTT
  fer::MqttSettings mqtt;
  guint qos = 1;
  guint spool_size = 64;  ///< MiB.
#endif
  guint max_queue = 1000;
  std::string metrics_address;
};

struct Stats : fer::Publisher::Stats {
  guint64 frames = 0;
  guint64 left_out = 0;                              ///< By on-change and min-interval.
  std::map<std::string, std::uint64_t> expressions;  ///< Of the faces, by label.
};

struct Impl : fer::ElementImpl<Settings, Stats> {
  /// Between start() and stop(). Property calls take a reference of their own.
  fer::Locked<std::shared_ptr<fer::Publisher>> publisher;
  fer::WarningLimiter overflow;
  // Only the streaming thread uses these, and stop(), while that does not run. 0: no caps yet.
  gint width = 0, height = 0;
  double pixel_aspect = 1;
  fer::WarningLimiter changed;
  std::shared_ptr<const fer::RecordOrigin> origin;
  std::uint64_t frame = 0;  ///< Of the run, so far.
  fer::RecordFilter filter;

  void apply(const Settings& now, const char* /*property*/) {
    if (const auto running = publisher.copy()) running->set_max_queue(now.max_queue);
  }
  /// The publisher's; after stop() what the last one left.
  Stats current_stats() {
    Stats now = stats.copy();
    if (const auto running = publisher.copy()) {
      static_cast<fer::Publisher::Stats&>(now) = running->stats();
    }
    return now;
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
      return fer::open_descriptor_sink(1);
    case Method::kDescriptor:
      return fer::open_descriptor_sink(static_cast<int>(settings.fd));
#ifdef HAVE_MQTT
    case Method::kMqtt: {
      fer::MqttSettings mqtt = settings.mqtt;
      mqtt.source = settings.source;
      mqtt.qos = static_cast<int>(settings.qos);
      mqtt.spool_bytes = std::uint64_t{settings.spool_size} << 20;
      return fer::open_mqtt_sink(mqtt);
    }
#endif
    case Method::kFile:
      break;
  }
  if (settings.location.empty()) {
    throw std::runtime_error("There is no file to publish to: set location.");
  }
  return fer::open_file_sink(settings.location, settings.append);
}

/// Another run than any before.
std::shared_ptr<const fer::RecordOrigin> new_origin(const Settings& settings) {
  fer::RecordOrigin origin{settings.source, fer::parse_tags(settings.tags), ""};
  gchar* run = g_uuid_string_random();
  origin.run = run;
  g_free(run);
  return std::make_shared<const fer::RecordOrigin>(std::move(origin));
}

gboolean start(GstBaseTransform* base) {
  Impl& impl = *FER_PUBLISH(base)->impl;
  return fer::guarded(base, FALSE, [&]() -> gboolean {
    const Settings settings = impl.settings.copy();
    std::unique_ptr<fer::LineSink> sink;
    try {
      impl.origin = new_origin(settings);
      sink = open_sink(settings);
    } catch (const std::runtime_error& error) {
      GST_ELEMENT_ERROR(base, RESOURCE, OPEN_WRITE, ("%s", error.what()), (nullptr));
      return FALSE;
    }
    impl.overflow.reset();
    impl.changed.reset();
    impl.filter.reset();
    impl.frame = 0;
    auto publisher = std::make_shared<fer::Publisher>(
        std::move(sink), settings.max_queue, [base, &impl](const std::string& fault) {
          fer::warn_limited(GST_ELEMENT(base), impl.fault, fault);
        });
    impl.publisher.with([&](auto& held) { held = std::move(publisher); });
    Base::start(FER_PUBLISH(base), {{"source", settings.source}});
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
    impl.stats.with([&](Stats& last) { static_cast<fer::Publisher::Stats&>(last) = stats; });
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

/// The number of the frame, and what it adds to the statistics.
void count(Impl& impl, fer::FrameRecord& record) {
  record.frame = ++impl.frame;
  impl.stats.with([&](Stats& stats) {
    ++stats.frames;
    for (const fer::FaceRecord& face : record.faces) {
      if (face.expression) ++stats.expressions[fer::counted_as(*face.expression)];
    }
  });
}

/// Whether on-change and min-interval leave the record out.
bool is_left_out(Impl& impl, const fer::FrameRecord& record) {
  const Settings settings = impl.settings.copy();
  const fer::RecordFilter::Wanted wanted{settings.on_change,
                                         settings.min_interval * std::uint64_t{GST_MSECOND}};
  const std::uint64_t now =
      record.timestamp.value_or(static_cast<std::uint64_t>(g_get_monotonic_time()) * 1000);
  if (impl.filter.admit(record, now, wanted)) return false;
  impl.stats.with([](Stats& stats) { ++stats.left_out; });
  return true;
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  Impl& impl = *FER_PUBLISH(base)->impl;
  // The base class lets buffers without caps through to a filter that passes them on as they are.
  if (impl.width == 0) return GST_FLOW_NOT_NEGOTIATED;
  return fer::guarded(base, GST_FLOW_ERROR, [&] {
    const std::shared_ptr<fer::Publisher> publisher = impl.publisher.copy();
    if (publisher->ended()) {
      // Upstream may be told by the flow alone, but what is behind a queue would wait for more.
      gst_pad_push_event(GST_BASE_TRANSFORM_SRC_PAD(base), gst_event_new_eos());
      return GST_FLOW_EOS;
    }
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
    record.origin = impl.origin;
    record.time = fer::frame_time(buffer);
    count(impl, record);
    if (is_left_out(impl, record)) return GST_FLOW_OK;
    if (!publisher->push(std::move(record))) {
      fer::warn_limited(GST_ELEMENT(base), impl.overflow,
                        "The oldest records are dropped: frames come faster than they are "
                        "published.");
    }
    return GST_FLOW_OK;
  });
}

// --- Life.

#ifdef HAVE_MQTT
/// The row's way to a setting of the connection.
template <typename Value>
auto of_mqtt(Value fer::MqttSettings::*member) {
  return [member](auto& settings) -> auto& {
    return settings.mqtt.*member;
  };
}

void add_mqtt(fer::PropertyTable<Settings>& properties) {
  using Mqtt = fer::MqttSettings;
  properties.add_secret(of_mqtt(&Mqtt::address),
                        {"address", "Address",
                         "The MQTT broker (method=mqtt): host, host:port or "
                         "mqtt://[user:password@]host[:port]; mqtts:// for TLS. Reads without user "
                         "and password"},
                        fer::kMutableReady, fer::shown_mqtt_address);
  properties.add(of_mqtt(&Mqtt::topic),
                 {"topic", "Topic",
                  "The MQTT topic (method=mqtt). {source} is the source's name; without one this "
                  "level is left out. TOPIC/available says online or offline"},
                 fer::kMutableReady);
  properties.add(of_mqtt(&Mqtt::client_id),
                 {"client-id", "Client id",
                  "The MQTT client's name, of which a broker lets one connect at a time; unset: a "
                  "new one each time"},
                 fer::kMutableReady);
  properties.add(&Settings::qos,
                 {"mqtt-qos", "Quality of service",
                  "Of MQTT messages: 0 at most once, 1 at least once, 2 exactly once"},
                 0, 2, fer::kMutableReady);
  properties.add(
      of_mqtt(&Mqtt::retain),
      {"retain", "Retain", "The MQTT broker keeps the last record for those who subscribe later"},
      fer::kMutableReady);
  properties.add(
      of_mqtt(&Mqtt::ca_file),
      {"ca-file", "CA file",
       "Certificates (PEM) of those who may sign the MQTT broker's, for mqtts://; unset: "
       "the system's"},
      fer::kMutableReady);
  properties.add(of_mqtt(&Mqtt::certificate),
                 {"cert-file", "Certificate file",
                  "Our certificate (PEM), where the MQTT broker asks for one"},
                 fer::kMutableReady);
  properties.add(of_mqtt(&Mqtt::key),
                 {"key-file", "Key file",
                  "The key of cert-file (PEM, without a password); unset: it is in the same file"},
                 fer::kMutableReady);
  properties.add(of_mqtt(&Mqtt::discovery_prefix),
                 {"discovery-prefix", "Discovery prefix",
                  "Announce the camera to Home Assistant under this topic, which there is "
                  "\"homeassistant\" (method=mqtt); unset: not"},
                 fer::kMutableReady);
  properties.add(
      of_mqtt(&Mqtt::spool),
      {"spool", "Spool",
       "A file that keeps records until the MQTT broker has acknowledged them, also over "
       "a restart; unset: they wait in memory"},
      fer::kMutableReady);
  properties.add(&Settings::spool_size,
                 {"spool-size", "Spool size",
                  "How many MiB of records the spool keeps; then the oldest are dropped"},
                 1, 1U << 20, fer::kMutableReady);
}
#endif

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
  properties.add(
      &Settings::fd,
      {"fd", "File descriptor", "The number of an open file descriptor to write to (method=fd)"}, 0,
      G_MAXINT, fer::kMutableReady);
  properties.add(&Settings::source,
                 {"source", "Source", "The camera's name, in each record, metric and topic"},
                 fer::kMutableReady);
  properties.add(&Settings::tags, {"tags", "Tags", "Words for each record: key=value,key=value"},
                 fer::kMutableReady);
  properties.add(&Settings::on_change,
                 {"on-change", "On change",
                  "Publish a frame only where other faces or labels are seen than in the one "
                  "published last"},
                 fer::kMutablePlaying);
  properties.add(&Settings::min_interval,
                 {"min-interval", "Minimum interval",
                  "Publish at most one frame in so many milliseconds; 0: every frame"},
                 0, G_MAXUINT, fer::kMutablePlaying);
#ifdef HAVE_MQTT
  add_mqtt(properties);
#endif
  properties.add(&Settings::max_queue,
                 {"max-queue", "Maximum queue",
                  "How many records may wait until they can be written; then the oldest are "
                  "dropped"},
                 1, G_MAXUINT, fer::kMutablePlaying);
  return properties;
}

fer::StatsTable<Stats> statistics() {
  fer::StatsTable<Stats> stats("fer-publish-stats");
  stats.counter(&Stats::frames, {"frames", "fer_publish_frames_total", "Frames that passed", {}});
  stats.counts_by_name(&Stats::expressions, "expression",
                       {"expressions",
                        "fer_publish_expressions_total",
                        "Faces with the expression, over all frames; unsure where it is so marked",
                        {}});
  stats.counter(&Stats::published,
                {"published", "fer_publish_records_total", "Records that were published", {}});
  stats.counter(&Stats::acknowledged, {"acknowledged",
                                       "fer_publish_acknowledged_total",
                                       "Records that the broker acknowledged, or that were written",
                                       {}});
  stats.counter(&Stats::left_out, {"left-out",
                                   "fer_publish_left_out_total",
                                   "Frames that on-change and min-interval left out",
                                   {}});
  stats.counter(
      &Stats::dropped,
      {"dropped", "fer_publish_dropped_total", "Records that were dropped or failed", {}});
  stats.counter(
      &Stats::bytes,
      {"bytes", "fer_publish_bytes_total", "Bytes of the records that were published", {}});
  stats.counter(&Stats::reconnects,
                {"reconnects",
                 "fer_publish_reconnects_total",
                 "Times that the broker or the reader of a FIFO came back, or a file was opened "
                 "anew",
                 {}});
  stats.gauge(&Stats::queued,
              {"queued", "fer_publish_queued_records", "Records that wait in memory", {}});
  stats.gauge(&Stats::spooled,
              {"spooled", "fer_publish_spooled_records", "Records that wait on disk", {}});
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
