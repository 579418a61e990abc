#include "video_faces.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "face_loader.h"
#include "interrupt.h"
#include "model/labels.h"
#include "progress.h"
#include "video-frame.h"
#include "vision/face_finder.h"

namespace fer {
namespace {

/// Runs of the detector a second of the video.
constexpr double kDetections = 10;
/// Seconds by which times of frames that are counted in nanoseconds may fall short.
constexpr double kRounding = 1e-4;
/// So long may a decoder be silent before the stop flag is looked at again.
constexpr GstClockTime kPatience = 100 * GST_MSECOND;

struct Unref {
  void operator()(GstElement* element) const { gst_object_unref(element); }
  void operator()(GstBus* bus) const { gst_object_unref(bus); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GError* error) const { g_error_free(error); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

/// The frames of a video file, one after the other.
class VideoFile {
 public:
  explicit VideoFile(const std::filesystem::path& path) : path_(path) {
    GError* failed = nullptr;
    if (!gst_init_check(nullptr, nullptr, &failed)) {
      const Owned<GError> error(failed);
      throw std::runtime_error(path.string() + ": GStreamer cannot be used: " + error->message);
    }
    // Of all streams the first of video; whatever is no raw format of ours is converted.
    failed = nullptr;
    pipeline_.reset(gst_parse_launch(
        "filesrc name=file ! decodebin caps=video/x-raw(ANY) expose-all-streams=false "
        "! videoconvert ! appsink name=frames sync=false max-buffers=4 caps=\"" FER_VIDEO_CAPS "\"",
        &failed));
    if (failed) {
      const Owned<GError> error(failed);
      throw std::runtime_error(path.string() + ": videos cannot be read: " + error->message +
                               "; scripts/setup installs what is missing");
    }
    const Owned<GstElement> file(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "file"));
    g_object_set(file.get(), "location", path.c_str(), nullptr);
    sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "frames"));
    bus_.reset(gst_element_get_bus(pipeline_.get()));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  ~VideoFile() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  VideoFile(const VideoFile&) = delete;
  VideoFile& operator=(const VideoFile&) = delete;

  /// False at the end. Throws std::runtime_error for what cannot be decoded.
  bool next() {
    for (;;) {
      stop_if_requested();
      sample_.reset(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), kPatience));
      if (sample_) break;
      if (const Owned<GstMessage> message{gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR)})
        fail(message.get());
      if (gst_app_sink_is_eos(GST_APP_SINK(sink_.get()))) {
        // What ended for an error is not at its end.
        if (const Owned<GstMessage> message{gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR)})
          fail(message.get());
        return false;
      }
    }
    const auto info = raw_video_info(nullptr, gst_sample_get_caps(sample_.get()));
    if (!info) throw std::runtime_error(path_.string() + ": its frames are of an unknown format");
    info_ = *info;
    return true;
  }

  const GstVideoInfo& info() const { return info_; }
  GstBuffer* buffer() const { return gst_sample_get_buffer(sample_.get()); }
  /// 0 where the file does not say.
  double frame_rate() const {
    return info_.fps_d > 0 ? static_cast<double>(info_.fps_n) / info_.fps_d : 0;
  }
  /// Of the frame at hand, in seconds; `otherwise` where it carries no time.
  double time(double otherwise) const {
    const GstClockTime pts = GST_BUFFER_PTS(buffer());
    return GST_CLOCK_TIME_IS_VALID(pts) ? static_cast<double>(pts) / GST_SECOND : otherwise;
  }
  /// In seconds; 0 where it is not known.
  double duration() const {
    gint64 length = 0;
    const bool known = gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &length);
    return known ? static_cast<double>(length) / GST_SECOND : 0;
  }

 private:
  [[noreturn]] void fail(GstMessage* message) const {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    const Owned<GError> owned(error);
    throw std::runtime_error(path_.string() +
                             ": expected a video, but it cannot be decoded: " + owned->message);
  }

  const std::filesystem::path path_;
  Owned<GstElement> pipeline_, sink_;
  Owned<GstBus> bus_;
  Owned<GstSample> sample_;
  GstVideoInfo info_{};
};

/// What was taken of a track.
struct Taken {
  double last = 0;
  int count = 0;
};

}  // namespace

FaceRows read_video_faces(const std::filesystem::path& path, const CropShape& shape,
                          const ReadOptions& options) {
  const DetectorModel model = find_detector_model();
  if (model.path.empty() || !model.remedy.empty()) {
    throw std::runtime_error(
        path.string() + ": faces of a video need a face detector with landmarks: " + model.remedy);
  }
  const CropSpec spec = crop_spec_of(shape);
  FaceRows faces;
  faces.info.channels = shape.channels;
  faces.info.side = shape.side;
  faces.info.align_template = shape.align_template;
  faces.info.labels = ferplus_labels();
  faces.info.splits = {""};
  faces.info.source = path.filename().string();

  FaceFinder finder(open_detector(model.path));
  FaceFinderConfig config;
  VideoFile video(path);
  Progress progress("reading " + path.filename().string());
  std::map<std::uint64_t, Taken> tracks;
  std::size_t frames = 0;
  double time = 0;
  for (cv::Mat crop; video.next(); ++frames) {
    const double rate = video.frame_rate() > 0 ? video.frame_rate() : 30;
    time = video.time(time + 1 / rate);
    progress.update(time, std::max(time, video.duration()),
                    std::to_string(faces.rows.size()) + " faces");
    config.frame_rate = rate;
    config.interval = std::max(1, static_cast<int>(std::lround(rate / kDetections)));
    finder.configure(config);
    if (!finder.due()) {
      finder.predict();
      continue;
    }
    const MappedFrame mapped(video.info(), video.buffer(), GST_MAP_READ);
    if (!mapped) throw std::runtime_error(path.string() + ": a frame cannot be read");
    for (const TrackedFace& face : finder.detect(mapped.view())) {
      if (!face.landmarks || face.score < config.threshold) continue;
      const auto [it, is_new] = tracks.try_emplace(face.track_id);
      Taken& taken = it->second;
      if (!is_new && (taken.count >= options.video_most ||
                      time < taken.last + options.video_every - kRounding))
        continue;
      taken.last = time;
      ++taken.count;
      crop_face(mapped.view(), face, spec, crop);
      PackedRow row;
      append_planar(crop, row.crop);
      row.votes.assign(faces.info.labels.size(), 0.f);
      row.aligned = true;
      faces.rows.push_back(std::move(row));
    }
  }
  progress.clear();
  if (faces.rows.empty()) {
    throw std::runtime_error(path.string() + ": expected a video with faces, found none in " +
                             std::to_string(frames) + " frames");
  }
  std::fprintf(stderr, "note: %s: %zu faces of %zu tracks in %zu frames\n", path.c_str(),
               faces.rows.size(), tracks.size(), frames);
  return faces;
}

}  // namespace fer
