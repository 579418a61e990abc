#include "data/video_faces.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "data/face_loader.h"
#include "files/gst_handles.h"
#include "model/labels.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"
#include "util/without_secrets.h"
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

/// The frames of a video, one after the other.
class Video {
 public:
  explicit Video(const std::string& video) : name_(without_secrets(video)) {
    init_gstreamer();
    GError* failed = nullptr;
    // Of all streams the first of video; whatever is no raw format of ours is converted, and turned
    // as its tag image-orientation says: phones write pictures as the camera was held.
    pipeline_.reset(
        gst_parse_launch("uridecodebin name=video caps=video/x-raw(ANY) expose-all-streams=false "
                         "! videoconvert ! videoflip video-direction=auto ! appsink name=frames "
                         "sync=false max-buffers=4 caps=\"" FER_VIDEO_CAPS "\"",
                         &failed));
    if (failed) {
      const Owned<GError> error(failed);
      throw std::runtime_error(name_ + ": videos cannot be read: " + error->message +
                               "; scripts/setup installs what is missing");
    }
    const Owned<GstElement> source(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "video"));
    g_object_set(source.get(), "uri", uri_of(video).c_str(), nullptr);
    sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "frames"));
    bus_.reset(gst_element_get_bus(pipeline_.get()));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  ~Video() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  Video(const Video&) = delete;
  Video& operator=(const Video&) = delete;

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
    if (!info) throw std::runtime_error(name_ + ": its frames are of an unknown format");
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
    throw std::runtime_error(
        name_ + ": expected a video, but it cannot be decoded: " + error_text(message));
  }

  const std::string name_;
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

VideoPlace each_video_face(
    const std::string& name, const CropFormat& shape, const VideoSampling& sampling,
    const std::function<void(const VideoPlace&, std::vector<VideoFace>)>& on_frame) {
  const DetectorModel model = find_detector_model();
  if (model.path.empty() || !model.remedy.empty()) {
    throw std::runtime_error(
        name + ": faces of a video need a face detector with landmarks: " + model.remedy);
  }
  const CropSpec spec = crop_spec_of(shape);
  FaceFinder finder(open_detector(model.path));
  FaceFinderConfig config;
  Video video(name);
  std::map<std::uint64_t, Taken> tracks;
  VideoPlace place;
  for (cv::Mat crop; video.next();) {
    const double rate = video.frame_rate() > 0 ? video.frame_rate() : 30;
    place = {video.time(place.time + 1 / rate), video.duration(), place.frames + 1};
    config.frame_rate = rate;
    config.interval = std::max(1, static_cast<int>(std::lround(rate / kDetections)));
    finder.configure(config);
    std::vector<VideoFace> faces;
    if (!finder.due()) {
      finder.predict();
      on_frame(place, std::move(faces));
      continue;
    }
    const MappedFrame mapped(video.info(), video.buffer(), GST_MAP_READ);
    if (!mapped) throw std::runtime_error(name + ": a frame cannot be read");
    for (const TrackedFace& face : finder.detect(mapped.view())) {
      if (!face.landmarks || face.score < config.threshold) continue;
      const auto [it, is_new] = tracks.try_emplace(face.track_id);
      Taken& taken = it->second;
      if (!is_new && ((sampling.max > 0 && taken.count >= sampling.max) ||
                      place.time < taken.last + sampling.every - kRounding))
        continue;
      taken.last = place.time;
      ++taken.count;
      crop_face(mapped.view(), face, spec, crop);
      VideoFace found{{}, face.track_id, face.score, std::min(face.box.width, face.box.height)};
      append_planar(crop, found.crop);
      faces.push_back(std::move(found));
    }
    on_frame(place, std::move(faces));
  }
  return place;
}

FaceRows read_video_faces(const std::filesystem::path& path, const CropFormat& shape,
                          const ReadOptions& options) {
  FaceRows faces;
  faces.info.crops = shape;
  faces.info.labels = ferplus_labels();
  faces.info.splits = {""};
  faces.info.source = path.filename().string();

  Progress progress("reading " + path.filename().string());
  std::set<std::uint64_t> tracks;
  const VideoPlace end =
      each_video_face(path.string(), shape, {options.video_every, options.video_max},
                      [&](const VideoPlace& place, std::vector<VideoFace> found) {
                        for (VideoFace& face : found) {
                          tracks.insert(face.track);
                          PackedRow row;
                          row.crop = std::move(face.crop);
                          row.votes.assign(faces.info.labels.size(), 0.f);
                          row.aligned = true;
                          faces.rows.push_back(std::move(row));
                        }
                        progress.update(place.time, std::max(place.time, place.duration),
                                        std::to_string(faces.rows.size()) + " faces");
                      });
  progress.clear();
  if (faces.rows.empty()) {
    throw std::runtime_error(path.string() + ": expected a video with faces, found none in " +
                             std::to_string(end.frames) + " frames");
  }
  std::fprintf(stderr, "note: %s: %zu faces of %zu tracks in %zu frames\n", path.c_str(),
               faces.rows.size(), tracks.size(), end.frames);
  return faces;
}

}  // namespace fer
