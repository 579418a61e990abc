// Faces of streams become evidence: quality gates, latents, tracklets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "network/model_file.h"
#include "stream/adapted_networks.h"
#include "stream/face_sample.h"
#include "stream/gates.h"
#include "stream/learner_config.h"
#include "stream/learner_counts.h"
#include "stream/linear_head.h"
#include "stream/teacher.h"
#include "stream/tracklet.h"

namespace fer {

/// Quality gates and tracklets, in this order. A learner remembers what comes of it, a collector
/// sends it to a learner elsewhere.
class EvidenceMaker {
 public:
  /// `networks` and `teacher` must outlive it.
  EvidenceMaker(const OnlineConfig& config, const ModelFile& source, AdaptedNetworks& networks,
                const Teacher& teacher);

  /// Takes faces in the order in which they came. Returns the tracklets that ended by them. Throws
  /// std::invalid_argument for a crop of another size than the model's input.
  std::vector<Evidence> observe(std::vector<FaceSample> faces, LearnerCounts& counts);
  /// Ends the open tracklets of a source, or of all sources.
  std::vector<Evidence> end_of(const std::optional<std::string>& source);

  /// Why a tracklet that ended says too little; nullopt where it does not.
  std::optional<Refusal> refuse(const Evidence& evidence) const;
  /// Of one face, gates or not. Throws as observe().
  FaceLatents latents_of(const FaceSample& face);

 private:
  void look_at(std::vector<FaceSample> faces, LearnerCounts& counts, std::vector<Evidence>& ended);
  void require_crop(const FaceSample& face) const;

  const OnlineConfig config_;
  const ModelInfo model_;
  const std::size_t crop_bytes_;
  AdaptedNetworks& networks_;
  const Teacher& teacher_;
  TrackletBuilder builder_;
  const LinearHead source_head_;
};

}  // namespace fer
