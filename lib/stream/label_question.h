// A face that a learner would like to have labelled. Free of LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fer {

/// A remembered tracklet, as its sharpest crop, with what the teacher says of it.
struct LabelQuestion {
  std::uint64_t id = 0;              ///< Of the remembered tracklet; a reset begins anew.
  std::string source;                ///< The stream that it came from.
  std::int64_t track = -1;           ///< As FaceSample's.
  std::int64_t time_s = 0;           ///< When it was remembered: seconds since 1970, UTC.
  std::int64_t expires_s = 0;        ///< From then on nobody may see it; 0: never.
  std::vector<std::uint8_t> crop;    ///< Planar, channels x side x side of the model's input.
  std::vector<float> probabilities;  ///< Of each class; one a label of the model.
  double worth = 0;                  ///< What the picker thinks of it; larger is better.
};

/// What somebody says to a question besides a label.
enum class LabelAnswer {
  kCannotTell,  ///< Nothing is learnt, and it is not asked again.
  kNoFace,      ///< It is forgotten as well: it must not teach by itself.
};

}  // namespace fer
