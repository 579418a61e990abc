// Quality gates: which faces are worth learning from. Free of LibTorch.
#pragma once

#include <optional>

#include "export.h"
#include "stream/face_sample.h"
#include "stream/learner_config.h"

namespace fer {

/// Why a face or a tracklet is not learnt from.
enum class Refusal {
  kUnsure,        ///< The detector was not sure enough of the face.
  kSmall,         ///< Too few pixels in the frame.
  kDark,          ///< The crop is too dark …
  kBright,        ///< … or burnt out.
  kBlurred,       ///< Nothing sharp in the crop.
  kShort,         ///< A tracklet of too few frames.
  kDisagreement,  ///< A tracklet whose frames contradict one another.
  kUnfamiliar,    ///< A tracklet of a source that shows nothing that the model knows.
};

/// "unsure", "small", …, for counts by name.
FER_API const char* name_of(Refusal refusal);

/// Mean absolute Laplacian over all planes, of 255: how sharp a crop is. Planar, side x side each.
FER_API float sharpness_of(const std::vector<std::uint8_t>& crop, int side);

/// nullopt for a face that passes.
FER_API std::optional<Refusal> refuse_face(const FaceSample& face, int side,
                                           const GateConfig& gates);

}  // namespace fer
