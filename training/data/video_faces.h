// Faces of videos, as the elements find, follow and cut them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/data_source.h"

namespace fer {

/// A face that was taken out of a video.
struct VideoFace {
  std::vector<std::uint8_t> crop;  ///< Planar, as the shape that was asked for.
  std::uint64_t track = 0;
  float confidence = 0;  ///< The detector's, in [0, 1].
  float size = 0;        ///< Shorter side of its box in pixels of the frame.
};

/// Where in a video the reading is.
struct VideoPlace {
  double time = 0;      ///< Of the frame at hand, seconds.
  double duration = 0;  ///< Of the whole; 0 where it is not known, as of a camera.
  std::size_t frames = 0;
};

/// How often the face of a track is taken.
struct VideoSampling {
  double every = 1;  ///< Seconds between two faces of one track.
  int max = 20;      ///< Faces of one track at most; 0: no limit.
};

/// Hands over, frame by frame, the faces that `sampling` takes of a video: a file, or a URI that
/// GStreamer can read. `on_frame` is told of each frame, with its faces, if any. Returns where the
/// video ended.
///
/// Decoded by GStreamer. The detector runs ten times a second of the video, a tracker joins its
/// findings; a face that has landmarks and is sure enough to start a track is cut and aligned when
/// it is due.
///
/// Throws std::runtime_error where no detector with landmarks is at hand or the video cannot be
/// decoded; Interrupted.
VideoPlace each_video_face(
    const std::string& video, const CropFormat& shape, const VideoSampling& sampling,
    const std::function<void(const VideoPlace&, std::vector<VideoFace>)>& on_frame);

/// All faces that `options` samples from a video file, as rows without labels, with a progress bar.
///
/// Throws std::runtime_error as each_video_face() does, and where the file shows no face;
/// Interrupted.
FaceRows read_video_faces(const std::filesystem::path& path, const CropFormat& shape,
                          const ReadOptions& options);

}  // namespace fer
