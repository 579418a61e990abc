// A face on its way to the learner. Free of LibTorch and GStreamer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fer {

/// One aligned crop of a face that somebody saw.
struct FaceSample {
  std::vector<std::uint8_t> crop;  ///< Planar, channels x side x side of the model's input.
  std::string source;              ///< Which stream or file it came from; may be empty.
  std::int64_t track = -1;   ///< Number of the face's track within its source; -1: not followed.
  std::int64_t time_ns = 0;  ///< Of the frame, in its source's own time; need not start at 0.
  float confidence = 1;      ///< The detector's, in [0, 1].
  float face_size = 0;       ///< Shorter side of the face's box in pixels of the frame; 0: unknown.
};

}  // namespace fer
