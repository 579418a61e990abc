// What one frame shows, as one line of JSON.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "face-meta.h"

namespace fer {

/// Where records come from; all of a run share it.
struct RecordOrigin {
  std::string source;                       ///< The camera's name; empty: none.
  std::map<std::string, std::string> tags;  ///< Free words of the user's.
  std::string run;                          ///< Another one at each start of the element.
};

/// When a frame was taken.
struct FrameTime {
  std::int64_t unix_ns = 0;  ///< Nanoseconds since 1970, UTC.
  bool of_camera = false;    ///< The camera told it; else it is when the frame came by.
};

/// The faces of one frame of that size in stored pixels, which are not always as wide as high and
/// are not always seen as they are stored (vision/shown_frame.h); `timestamp` in nanoseconds of
/// stream time, where the frame has one.
struct FrameRecord {
  std::optional<std::uint64_t> timestamp;
  gint width = 0, height = 0;
  std::vector<FaceRecord> faces;
  double pixel_aspect = 1;
  Orientation orientation = Orientation::kIdentity;
  std::shared_ptr<const RecordOrigin> origin = {};
  std::optional<FrameTime> time = {};
  std::uint64_t frame = 0;  ///< Of the run, from 1; 0: not counted.
};

/// The record in DL Streamer's shape, without line breaks (docs/reference/publishing.md). Always
/// valid JSON: labels are escaped, and what is no finite number becomes null.
std::string to_json(const FrameRecord& record);

/// The tags of key=value,key=value. Throws std::runtime_error with a sentence where it is none.
std::map<std::string, std::string> parse_tags(const std::string& text);

}  // namespace fer
