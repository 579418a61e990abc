// Faces of video files, as the elements find, follow and cut them.
#pragma once

#include <filesystem>

#include "data_source.h"

namespace fer {

/// All faces that `options` samples from a video file, as rows without labels, with a progress bar.
///
/// Decoded by GStreamer. The detector runs ten times a second of the video, a tracker joins its
/// findings; a face that has landmarks and is sure enough to start a track is cut and aligned when
/// `video_every` seconds have passed since its track's last one, up to `video_most` times a track.
///
/// Throws std::runtime_error where no detector with landmarks is at hand, the file cannot be
/// decoded or shows no face; Interrupted.
FaceRows read_video_faces(const std::filesystem::path& path, const CropShape& shape,
                          const ReadOptions& options);

}  // namespace fer
