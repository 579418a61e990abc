// What one frame shows, as one line of JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "face-meta.h"

namespace fer {

/// The faces of one frame of that size in stored pixels, which are not always as wide as high and
/// are not always seen as they are stored (vision/shown_frame.h); `timestamp` in nanoseconds of
/// stream time, where the frame has one.
struct FrameRecord {
  std::optional<std::uint64_t> timestamp;
  gint width = 0, height = 0;
  std::vector<FaceRecord> faces;
  double pixel_aspect = 1;
  Orientation orientation = Orientation::kIdentity;
};

/// The record in DL Streamer's shape, without line breaks (docs/reference/publishing.md). Always
/// valid JSON: labels are escaped, and what is no finite number becomes null.
std::string to_json(const FrameRecord& record);

}  // namespace fer
