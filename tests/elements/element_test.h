// What the tests of elements share: owners for GStreamer's objects, elements in a harness, raw
// frames of every format, messages of the bus. Its main() starts GStreamer once and, where the
// leaks tracer runs (GST_TRACERS=leaks), fails if an object outlived the tests.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "face-meta.h"

namespace fer::test {

// --- Owners.

struct Release {
  void operator()(GstElement* object) const { gst_object_unref(object); }
  void operator()(GstPad* object) const { gst_object_unref(object); }
  void operator()(GstBus* object) const { gst_object_unref(object); }
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GstEvent* event) const { gst_event_unref(event); }
  void operator()(GstQuery* query) const { gst_query_unref(query); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};

using ElementPtr = std::unique_ptr<GstElement, Release>;
using PadPtr = std::unique_ptr<GstPad, Release>;
using BusPtr = std::unique_ptr<GstBus, Release>;
using BufferPtr = std::unique_ptr<GstBuffer, Release>;
using CapsPtr = std::unique_ptr<GstCaps, Release>;
using EventPtr = std::unique_ptr<GstEvent, Release>;
using QueryPtr = std::unique_ptr<GstQuery, Release>;
using MessagePtr = std::unique_ptr<GstMessage, Release>;
using StructurePtr = std::unique_ptr<GstStructure, Release>;

// --- Elements.

using Properties = std::vector<std::pair<std::string, std::string>>;

/// An element with its properties set, values written as in gst-launch-1.0. Ends the test program
/// where there is no such element or property: the plugins were not built or not found.
ElementPtr make_element(const std::string& factory, const Properties& properties = {});

/// A pipeline as gst-launch-1.0 reads it. Throws std::runtime_error with what the parser says.
ElementPtr parse_pipeline(const std::string& description);

/// Plays the pipeline until EOS and takes it to NULL again. Throws std::runtime_error with the
/// error's text where it posts one, and where there is no EOS within `seconds`.
void play_to_end(GstElement* pipeline, int seconds = 30);

/// A property's value; its type must fit. Integers, floats, booleans, std::string, and
/// StructurePtr for a boxed GstStructure.
template <typename T>
T property(gpointer element, const char* name) {
  if constexpr (std::is_same_v<T, std::string>) {
    gchar* text = nullptr;
    g_object_get(element, name, &text, nullptr);
    std::string copy = text == nullptr ? "" : text;
    g_free(text);
    return copy;
  } else if constexpr (std::is_same_v<T, StructurePtr>) {
    GstStructure* structure = nullptr;
    g_object_get(element, name, &structure, nullptr);
    return StructurePtr(structure);
  } else {
    T value{};
    g_object_get(element, name, &value, nullptr);
    return value;
  }
}

/// A number of the element's `stats`, whichever numeric type it has; nullopt where it is missing.
std::optional<double> stat(gpointer element, const char* field);

/// The element's bus messages. Make one before the element leaves NULL; it replaces the bus that
/// the element had.
class Messages {
 public:
  explicit Messages(GstElement* element);
  ~Messages();
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;

  /// The next message of one of these types, waiting for it; null where none comes in time. Others
  /// before it are dropped.
  MessagePtr wait(GstMessageType types, int seconds = 10);

  /// How many messages of one of these types are there by now. Takes them, drops all others.
  int count(GstMessageType types);

 private:
  ElementPtr element_;
  BusPtr bus_;
};

/// What an error or warning message says to people, and the detail for developers behind it.
std::string message_text(GstMessage* message);

/// The error of an element that cannot start; empty where it starts. Fails the test where it says
/// nothing and does not start, or complains and starts.
std::string start_error(const std::string& factory, const Properties& properties);

// --- An element between two pads of the test.

class Harness {
 public:
  /// Takes over the element, a filter or a sink, and sets it to PLAYING.
  explicit Harness(ElementPtr element);
  ~Harness();
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  GstHarness* get() const { return harness_; }
  GstElement* element() const { return element_.get(); }
  Messages& messages() { return *messages_; }

  void set_caps(const std::string& caps);             ///< Of what is pushed.
  void set_downstream_caps(const std::string& caps);  ///< What the test's sink accepts.
  GstFlowReturn push(BufferPtr buffer);
  bool push_event(GstEvent* event);           ///< Takes the event.
  bool push_upstream_event(GstEvent* event);  ///< Takes the event.
  BufferPtr pull();                           ///< Waits up to a minute; null after.
  BufferPtr try_pull();                       ///< Null where nothing has come out.
  EventPtr try_pull_event();                  ///< Null where none has come out.
  /// All events of that type that have come out, or of every type; drops the others.
  std::vector<EventPtr> events(std::optional<GstEventType> type = std::nullopt);

 private:
  ElementPtr element_;
  std::unique_ptr<Messages> messages_;
  GstHarness* harness_ = nullptr;
};

/// What an allocation query is answered upstream of the element, where the test's sink takes the
/// video meta and the crop meta. Of a harness that has no caps yet.
struct OfferedMetas {
  bool video = false, crop = false;
};
OfferedMetas offered_metas(Harness& harness, const std::string& caps);

// --- Frames.

/// Every format that the elements take, as in caps.
const std::vector<std::string>& video_formats();
/// Those of them that are read and drawn on in a device's memory, too.
const std::vector<std::string>& device_formats();

/// Caps of raw video at 30 frames a second, without colorimetry.
std::string video_caps(const std::string& format, int width, int height);
GstVideoInfo video_info(const std::string& format, int width, int height);

/// How a frame lies in memory.
enum class Layout {
  kPacked,  ///< One memory, GStreamer's default strides, no GstVideoMeta.
  kPadded,  ///< A memory a plane that ends with the last pixel, padded rows, a GstVideoMeta. The
            ///< memory is read-only: who maps it for writing gets another one.
};

/// A frame with the picture (CV_8UC3, BGR) in that format, limited range where it is YUV; time and
/// duration are those of frame `number` at 30 frames a second.
BufferPtr make_frame(const cv::Mat& picture, const std::string& format,
                     Layout layout = Layout::kPacked, int number = 0);

/// All bytes of a buffer's memory, padding included.
std::vector<std::uint8_t> bytes_of(GstBuffer* buffer);

/// A frame as a picture again (CV_8UC3 in BGR, or CV_8UC1 for GRAY8), of a buffer in one of the RGB
/// formats or grey.
cv::Mat picture_of(GstBuffer* buffer, const GstVideoInfo& info);

// --- Faces.

/// The faces on a buffer; empty, and a failure of the test, where it carries no record.
std::vector<FaceRecord> faces_of(GstBuffer* buffer);

}  // namespace fer::test
