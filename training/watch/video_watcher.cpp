#include <gst/video/video.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "terminal/interrupt.h"
#include "util/make_folder.h"
#include "watch/frame_queue.h"
#include "watch/inputs.h"
#include "watch/watchers.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// So long may a decoder be silent before the stop flag is looked at again.
constexpr std::chrono::milliseconds kPatience{100};
/// That an encoder may take to finish its file once the stream was ended.
constexpr std::chrono::seconds kFinish{20};
/// Thumbnails of a video, at most about so many, and not closer than so many seconds.
constexpr double kThumbnails = 40, kThumbnailPause = 1;

/// The best one that is here, for MP4.
std::string encoder() {
  if (has_element("x264enc")) {
    return "x264enc pass=quant quantizer=23 speed-preset=veryfast key-int-max=60 ! h264parse";
  }
  if (has_element("openh264enc"))
    return "openh264enc rate-control=quality bitrate=4000000 complexity=low ! h264parse";
  if (has_element("avenc_mpeg4")) return "avenc_mpeg4 bitrate=4000000 ! mpeg4videoparse";
  if (has_element("jpegenc")) return "jpegenc quality=90";
  throw std::runtime_error(
      "--annotated: there is no video encoder: install gstreamer1.0-plugins-ugly (x264enc)");
}

/// Sizes of which 4:2:0 can be encoded: crops an odd last row and column.
GstPadProbeReturn make_even(GstPad*, GstPadProbeInfo* info, gpointer crop) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  gint width = 0, height = 0;
  const GstStructure* shape = gst_caps_get_structure(caps, 0);
  gst_structure_get_int(shape, "width", &width);
  gst_structure_get_int(shape, "height", &height);
  g_object_set(crop, "right", width % 2, "bottom", height % 2, nullptr);
  return GST_PAD_PROBE_OK;
}

class Stream {
 public:
  Stream(const WatchInput& input, const WatchSettings& settings)
      : input_(input),
        settings_(settings),
        live_(input.kind == WatchKind::kCamera),
        queue_(!live_),
        pipeline_(watching_pipeline(description(), settings, input.name)),
        bus_(gst_element_get_bus(pipeline_.get())),
        probe_(
            pipeline_, [this](SeenFrame frame) { queue_.push(std::move(frame)); },
            [this](double time) { return wants_thumbnail(time); }) {
    const auto source = element_of(pipeline_, "source");
    if (!input.device.empty()) {
      g_object_set(source.get(), "device", input.device.c_str(), nullptr);
    } else {
      g_object_set(source.get(), "uri", uri_of(input.name).c_str(), nullptr);
    }
    if (input.annotated.empty()) return;
    make_folder(input.annotated.parent_path());
    g_object_set(element_of(pipeline_, "out").get(), "location", unfinished().c_str(), nullptr);
    const auto even = element_of(pipeline_, "even");
    const Owned<GstPad> pad(gst_element_get_static_pad(even.get(), "sink"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, make_even, even.get(),
                      nullptr);
  }
  ~Stream() {
    queue_.close();
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    std::error_code ignored;
    if (!input_.annotated.empty()) fs::remove(unfinished(), ignored);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void run(const WatchListener& listener, WatchResult& result) {
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    double last = 0, frame_time = 0;
    End end;
    while (true) {
      const auto frame = queue_.pop(end.over ? std::chrono::milliseconds(0) : kPatience);
      const bool enough =
          settings_.max_seconds > 0 && frame && frame->time >= settings_.max_seconds;
      if (frame && !enough) {
        frame_time = frame->number > 0 ? frame->time - last : frame_time;
        last = frame->time;
        result.seconds = last + std::max(0.0, frame_time);
        listener.on_frame(*frame);
      }
      if (enough || stop_requested) {
        // A camera ends when somebody stops it.
        result.stopped = result.stopped || (!enough && !live_);
        if (input_.annotated.empty()) break;
        end_stream();
      }
      // What came in since the last look is still told.
      if (!frame && end.over) break;
      if (!frame) end = look_for_end();
      end.over = end.over || is_late();
      if (frame && !is_progress_due()) continue;
      const double whole = duration();
      listener.on_progress(whole > 0 ? std::min(1.0, last / whole) : 0);
    }
    result.dropped = queue_.dropped();
    if (!end.error.empty()) {
      throw UnreadableInput(one_line(input_.name) +
                            ": expected a video, but it cannot be decoded: " + end.error);
    }
    if (result.frames == 0 && !result.stopped)
      throw UnreadableInput(one_line(input_.name) + ": expected a video, found no frame in it");
    finish_overlay();
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::string description() const {
    const bool overlay = !input_.annotated.empty();
    std::string text;
    if (!input_.device.empty()) {
      text = "v4l2src name=source do-timestamp=true ! decodebin";
    } else {
      text = "uridecodebin name=source expose-all-streams=false caps=video/x-raw(ANY)";
    }
    text += live_ ? " ! queue leaky=downstream max-size-buffers=2 max-size-bytes=0 max-size-time=0"
                  : " ! queue max-size-buffers=8 max-size-bytes=0 max-size-time=0";
    // Each passes frames on as they are wherever nothing is to be done.
    text += " ! videoconvert";
    if (overlay || settings_.thumbnails) text += " ! videoflip video-direction=auto";
    text += " ! " + face_elements(settings_);
    if (!overlay) return text + " ! fakesink sync=false";
    return text +
           " ! queue max-size-buffers=4 max-size-bytes=0 max-size-time=0 ! feroverlay ! videocrop "
           "name=even ! videoconvert ! video/x-raw,format=I420 ! " +
           encoder() + " ! mp4mux ! filesink name=out";
  }

  /// The overlay's file while it is written.
  std::string unfinished() const {
    std::string name(1, '.');
    name.append(input_.annotated.filename().string()).append(".part");
    return (input_.annotated.parent_path() / name).string();
  }

  /// On the stream's thread.
  bool wants_thumbnail(double time) {
    if (!settings_.thumbnails || time < next_thumbnail_) return false;
    next_thumbnail_ = time + std::max(kThumbnailPause, duration() / kThumbnails);
    return true;
  }

  /// Seconds; 0 where it is not known.
  double duration() const {
    gint64 length = 0;
    const bool known = gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &length);
    const double whole = known && length > 0 ? static_cast<double>(length) / GST_SECOND : 0;
    if (settings_.max_seconds <= 0) return whole;
    return whole > 0 ? std::min(whole, settings_.max_seconds) : settings_.max_seconds;
  }

  /// Lets the encoder finish its file.
  void end_stream() {
    if (deadline_) return;
    gst_element_send_event(pipeline_.get(), gst_event_new_eos());
    deadline_ = Clock::now() + kFinish;
  }

  /// How the stream ended, if it did.
  struct End {
    bool over = false;
    std::string error;  ///< Why the video cannot be decoded; empty: it was at its end.
  };
  /// Throws where the overlay cannot be written.
  End look_for_end() {
    // Asked for together: whoever asks for one kind throws the other away.
    const Owned<GstMessage> message(gst_bus_pop_filtered(
        bus_.get(), static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    if (!message) return {};
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return {true, ""};
    const std::string why = error_text(message.get());
    const auto out = input_.annotated.empty() ? nullptr : element_of(pipeline_, "out");
    if (out && GST_MESSAGE_SRC(message.get()) == GST_OBJECT(out.get()))
      throw std::runtime_error(input_.annotated.string() + ": cannot be written: " + why);
    return {true, why.empty() ? "nobody says why" : why};
  }

  bool is_late() const { return deadline_ && Clock::now() > *deadline_; }

  bool is_progress_due() {
    const auto now = Clock::now();
    if (now < progress_due_) return false;
    progress_due_ = now + kPatience;
    return true;
  }

  void finish_overlay() {
    if (input_.annotated.empty()) return;
    // Closes the file, so that a full disk shows now.
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    look_for_end();
    std::error_code error;
    fs::rename(unfinished(), input_.annotated, error);
    if (error)
      throw std::runtime_error(input_.annotated.string() +
                               ": cannot be written: " + error.message());
  }

  const WatchInput& input_;
  const WatchSettings& settings_;
  const bool live_;
  double next_thumbnail_ = 0;
  std::optional<Clock::time_point> deadline_;
  Clock::time_point progress_due_{};
  FrameQueue queue_;
  const Owned<GstElement> pipeline_;
  const Owned<GstBus> bus_;
  const FrameProbe probe_;
};

}  // namespace

void watch_video(const WatchInput& input, const WatchSettings& settings,
                 const WatchListener& listener, WatchResult& result) {
  Stream(input, settings).run(listener, result);
}

}  // namespace fer
