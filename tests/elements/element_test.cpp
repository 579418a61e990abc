#include "element_test.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "unit/vision/raw_frame.h"
#include "video-frame.h"

namespace fer::test {
namespace {

/// Ends the test program: what follows could only fail for the same reason.
[[noreturn]] void give_up(const std::string& reason) {
  std::cerr << reason << '\n';
  std::abort();
}

RawFrame raw_frame(const cv::Mat& picture, const std::string& format) {
  const GstVideoFormat video_format = gst_video_format_from_string(format.c_str());
  const std::optional<PixelFormat> pixels = pixel_format(video_format);
  if (!pixels) give_up("The test has no frames in " + format + ".");
  // As GStreamer reads caps without colorimetry.
  const bool yuv = GST_VIDEO_FORMAT_INFO_IS_YUV(gst_video_format_get_info(video_format));
  return RawFrame(picture, *pixels, !yuv);
}

/// Rows of a plane and bytes of a row without its padding.
cv::Size plane_size(const GstVideoInfo& info, guint plane) {
  cv::Size size;
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&info); ++i) {
    if (GST_VIDEO_INFO_COMP_PLANE(&info, i) != plane) continue;
    size.width = std::max(
        size.width, GST_VIDEO_INFO_COMP_WIDTH(&info, i) * GST_VIDEO_INFO_COMP_PSTRIDE(&info, i));
    size.height = GST_VIDEO_INFO_COMP_HEIGHT(&info, i);
  }
  return size;
}

BufferPtr packed_frame(const FrameView& view, const GstVideoInfo& info) {
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  gst_buffer_memset(buffer.get(), 0, 0, GST_VIDEO_INFO_SIZE(&info));
  const MappedFrame mapped(info, buffer.get(), GST_MAP_WRITE);
  const FrameView target = mapped.view();
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); ++plane) {
    const cv::Size size = plane_size(info, plane);
    for (int y = 0; y < size.height; ++y) {
      std::memcpy(const_cast<std::uint8_t*>(target.data[plane]) +
                      static_cast<std::ptrdiff_t>(y) * target.stride[plane],
                  view.data[plane] + static_cast<std::ptrdiff_t>(y) * view.stride[plane],
                  static_cast<std::size_t>(size.width));
    }
  }
  return buffer;
}

BufferPtr padded_frame(RawFrame frame, const GstVideoInfo& info) {
  // The memories share the frame, which goes with the last of them.
  const auto shared = std::make_shared<RawFrame>(std::move(frame));
  const FrameView& view = shared->view();
  BufferPtr buffer(gst_buffer_new());
  gsize offsets[GST_VIDEO_MAX_PLANES]{};
  gint strides[GST_VIDEO_MAX_PLANES]{};
  gsize offset = 0;
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); ++plane) {
    const cv::Size size = plane_size(info, plane);
    const gsize bytes =
        static_cast<gsize>(view.stride[plane]) * static_cast<gsize>(size.height - 1) +
        static_cast<gsize>(size.width);
    gst_buffer_append_memory(
        buffer.get(),
        gst_memory_new_wrapped(
            GST_MEMORY_FLAG_READONLY, const_cast<std::uint8_t*>(view.data[plane]), bytes, 0, bytes,
            new std::shared_ptr<RawFrame>(shared),
            [](gpointer holder) { delete static_cast<std::shared_ptr<RawFrame>*>(holder); }));
    offsets[plane] = offset;
    strides[plane] = view.stride[plane];
    offset += bytes;
  }
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                 GST_VIDEO_INFO_FORMAT(&info), GST_VIDEO_INFO_WIDTH(&info),
                                 GST_VIDEO_INFO_HEIGHT(&info), GST_VIDEO_INFO_N_PLANES(&info),
                                 offsets, strides);
  return buffer;
}

}  // namespace

// --- Elements.

ElementPtr make_element(const std::string& factory, const Properties& properties) {
  GstElement* made = gst_element_factory_make(factory.c_str(), nullptr);
  if (made == nullptr) give_up("There is no element " + factory + ".");
  ElementPtr element(GST_ELEMENT(gst_object_ref_sink(made)));
  for (const auto& [name, value] : properties) {
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(made), name.c_str()) == nullptr) {
      give_up(factory + " has no property " + name + ".");
    }
    gst_util_set_object_arg(G_OBJECT(made), name.c_str(), value.c_str());
  }
  return element;
}

ElementPtr parse_pipeline(const std::string& description) {
  GError* error = nullptr;
  GstElement* pipeline =
      gst_parse_launch_full(description.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline == nullptr) {
    const std::string text = error->message;
    g_error_free(error);
    throw std::runtime_error(text);
  }
  return ElementPtr(GST_ELEMENT(gst_object_ref_sink(pipeline)));
}

void play_to_end(GstElement* pipeline, int seconds) {
  Messages messages(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  const MessagePtr end =
      messages.wait(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR), seconds);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  if (!end) throw std::runtime_error("no EOS within " + std::to_string(seconds) + " s");
  if (GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_ERROR) {
    throw std::runtime_error(message_text(end.get()));
  }
}

std::optional<double> stat(gpointer element, const char* field) {
  const StructurePtr stats = property<StructurePtr>(element, "stats");
  const GValue* value = stats ? gst_structure_get_value(stats.get(), field) : nullptr;
  if (value == nullptr) return std::nullopt;
  GValue number = G_VALUE_INIT;
  g_value_init(&number, G_TYPE_DOUBLE);
  if (!g_value_transform(value, &number)) return std::nullopt;
  return g_value_get_double(&number);
}

Messages::Messages(GstElement* element)
    : element_(GST_ELEMENT(gst_object_ref(element))), bus_(gst_element_get_bus(element)) {
  if (bus_) return;
  bus_.reset(gst_bus_new());
  gst_element_set_bus(element, bus_.get());
}

Messages::~Messages() {
  // Messages that nobody took hold on to their element, which holds on to the bus.
  gst_bus_set_flushing(bus_.get(), TRUE);
  gst_bus_set_flushing(bus_.get(), FALSE);
}

MessagePtr Messages::wait(GstMessageType types, int seconds) {
  return MessagePtr(gst_bus_timed_pop_filtered(
      bus_.get(), static_cast<GstClockTime>(seconds) * GST_SECOND, types));
}

int Messages::count(GstMessageType types) {
  int count = 0;
  while (MessagePtr message{gst_bus_pop(bus_.get())}) {
    if ((GST_MESSAGE_TYPE(message.get()) & types) != 0) ++count;
  }
  return count;
}

std::string message_text(GstMessage* message) {
  GError* error = nullptr;
  gchar* debug = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning(message, &error, &debug);
  } else {
    gst_message_parse_error(message, &error, &debug);
  }
  std::string text = error->message;
  if (debug != nullptr) text.append("\n").append(debug);
  g_error_free(error);
  g_free(debug);
  return text;
}

std::string start_error(const std::string& factory, const Properties& properties) {
  const ElementPtr element = make_element(factory, properties);
  Messages messages(element.get());
  const GstStateChangeReturn change = gst_element_set_state(element.get(), GST_STATE_PAUSED);
  const MessagePtr error = messages.wait(GST_MESSAGE_ERROR, 0);
  gst_element_set_state(element.get(), GST_STATE_NULL);
  EXPECT_EQ(change == GST_STATE_CHANGE_FAILURE, error != nullptr);
  return error ? message_text(error.get()) : "";
}

// --- An element between two pads of the test.

Harness::Harness(ElementPtr element) : element_(std::move(element)) {
  messages_ = std::make_unique<Messages>(element_.get());
  const auto pad_name = [&](const char* name) {
    return PadPtr(gst_element_get_static_pad(element_.get(), name)) ? name : nullptr;
  };
  harness_ = gst_harness_new_with_element(element_.get(), pad_name("sink"), pad_name("src"));
}

Harness::~Harness() {
  gst_harness_teardown(harness_);
}

void Harness::set_caps(const std::string& caps) {
  gst_harness_set_src_caps_str(harness_, caps.c_str());
}

void Harness::set_downstream_caps(const std::string& caps) {
  gst_harness_set_sink_caps_str(harness_, caps.c_str());
}

GstFlowReturn Harness::push(BufferPtr buffer) {
  return gst_harness_push(harness_, buffer.release());
}

bool Harness::push_event(GstEvent* event) {
  return gst_harness_push_event(harness_, event);
}

bool Harness::push_upstream_event(GstEvent* event) {
  return gst_harness_push_upstream_event(harness_, event);
}

BufferPtr Harness::pull() {
  return BufferPtr(gst_harness_pull(harness_));
}

BufferPtr Harness::try_pull() {
  return BufferPtr(gst_harness_try_pull(harness_));
}

EventPtr Harness::try_pull_event() {
  return EventPtr(gst_harness_try_pull_event(harness_));
}

std::vector<EventPtr> Harness::events(std::optional<GstEventType> type) {
  std::vector<EventPtr> found;
  while (EventPtr event = try_pull_event()) {
    if (!type || GST_EVENT_TYPE(event.get()) == *type) found.push_back(std::move(event));
  }
  return found;
}

OfferedMetas offered_metas(Harness& harness, const std::string& caps) {
  for (const GType meta : {GST_VIDEO_META_API_TYPE, GST_VIDEO_CROP_META_API_TYPE}) {
    gst_harness_add_propose_allocation_meta(harness.get(), meta, nullptr);
  }
  harness.set_caps(caps);
  const CapsPtr wanted(gst_caps_from_string(caps.c_str()));
  const QueryPtr query(gst_query_new_allocation(wanted.get(), FALSE));
  const PadPtr sink(gst_element_get_static_pad(harness.element(), "sink"));
  EXPECT_TRUE(gst_pad_query(sink.get(), query.get()));
  const auto offers = [&](GType meta) {
    return gst_query_find_allocation_meta(query.get(), meta, nullptr) == TRUE;
  };
  return {offers(GST_VIDEO_META_API_TYPE), offers(GST_VIDEO_CROP_META_API_TYPE)};
}

// --- Frames.

namespace {

template <typename Formats>
std::vector<std::string> names_of(const Formats& formats) {
  std::vector<std::string> names;
  for (const NamedFormat& format : formats) names.emplace_back(format.name);
  return names;
}

}  // namespace

const std::vector<std::string>& video_formats() {
  static const std::vector<std::string> names = names_of(kAllFormats);
  return names;
}

const std::vector<std::string>& device_formats() {
  static const std::vector<std::string> names = names_of(kDeviceFormats);
  return names;
}

std::string video_caps(const std::string& format, int width, int height) {
  return "video/x-raw,format=" + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=30/1";
}

GstVideoInfo video_info(const std::string& format, int width, int height) {
  const CapsPtr caps(gst_caps_from_string(video_caps(format, width, height).c_str()));
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps.get())) give_up("No video info of " + format + ".");
  return info;
}

BufferPtr make_frame(const cv::Mat& picture, const std::string& format, Layout layout, int number) {
  const GstVideoInfo info = video_info(format, picture.cols, picture.rows);
  RawFrame raw = raw_frame(picture, format);
  BufferPtr buffer = layout == Layout::kPacked ? packed_frame(raw.view(), info)
                                               : padded_frame(std::move(raw), info);
  GST_BUFFER_PTS(buffer.get()) =
      gst_util_uint64_scale(static_cast<guint64>(number), GST_SECOND, 30);
  GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / 30;
  return buffer;
}

std::vector<std::uint8_t> bytes_of(GstBuffer* buffer) {
  std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

cv::Mat picture_of(GstBuffer* buffer, const GstVideoInfo& info) {
  const MappedFrame mapped(info, buffer, GST_MAP_READ);
  if (!mapped) give_up("The buffer does not hold the frame that its caps say.");
  const FrameView view = mapped.view();
  const int channels = GST_VIDEO_INFO_COMP_PSTRIDE(&info, 0);
  const cv::Mat pixels(view.height, view.width, CV_8UC(channels),
                       const_cast<std::uint8_t*>(view.data[0]),
                       static_cast<std::size_t>(view.stride[0]));
  if (channels == 1) return pixels.clone();
  cv::Mat picture(pixels.size(), CV_8UC3);
  const auto* format = info.finfo;
  std::vector<int> from_to;
  for (const int component : {GST_VIDEO_COMP_B, GST_VIDEO_COMP_G, GST_VIDEO_COMP_R}) {
    from_to.push_back(static_cast<int>(GST_VIDEO_FORMAT_INFO_POFFSET(format, component)));
    from_to.push_back(GST_VIDEO_COMP_B - component);
  }
  cv::mixChannels(&pixels, 1, &picture, 1, from_to.data(), 3);
  return picture;
}

// --- Faces.

std::vector<FaceRecord> faces_of(GstBuffer* buffer) {
  std::optional<std::vector<FaceRecord>> faces = face_meta_read(buffer);
  if (!faces) {
    ADD_FAILURE() << "The buffer carries no record of faces.";
    return {};
  }
  return std::move(*faces);
}

}  // namespace fer::test

namespace {

/// Says which objects are left, where the leaks tracer runs; returns how many.
int report_leaks() {
  int leaked = 0;
  GList* tracers = gst_tracing_get_active_tracers();
  for (GList* item = tracers; item != nullptr; item = item->next) {
    if (std::strcmp(G_OBJECT_TYPE_NAME(item->data), "GstLeaksTracer") != 0) continue;
    GstStructure* alive = nullptr;
    g_signal_emit_by_name(item->data, "get-live-objects", &alive);
    const GValue* list =
        alive == nullptr ? nullptr : gst_structure_get_value(alive, "live-objects-list");
    leaked = list == nullptr ? 0 : static_cast<int>(gst_value_list_get_size(list));
    for (int i = 0; i < leaked; ++i) {
      gchar* text = gst_value_serialize(gst_value_list_get_value(list, static_cast<guint>(i)));
      std::cerr << "leaked: " << text << '\n';
      g_free(text);
    }
    gst_clear_structure(&alive);
  }
  g_list_free_full(tracers, gst_object_unref);
  return leaked;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  // As a critical of GLib is a fault of ours, it fails the test that meets it.
  g_log_set_always_fatal(static_cast<GLogLevelFlags>(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
  const int failed = RUN_ALL_TESTS();
  // A streaming thread may hold its task a moment longer than whoever stopped it waits.
  gst_task_cleanup_all();
  const int leaked = report_leaks();
  gst_deinit();
  return failed != 0 || leaked > 0 ? 1 : 0;
}
