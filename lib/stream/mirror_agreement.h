// Whether a model reads a face and its mirror image alike.
#pragma once

#include <torch/types.h>

#include "model/model_info.h"
#include "stream/adapted_networks.h"
#include "stream/sample_memory.h"

namespace fer {

/// A figure of a model on a stream's own faces that needs no labels. An expression does not change
/// in the mirror: a model that disagrees with itself there is wrong about one of both.
class MirrorAgreement {
 public:
  /// Takes the newest pictures of the memory, 128 at most.
  MirrorAgreement(const SampleMemory& memory, const ModelInfo& model, AdaptedNetworks& networks);

  /// Share of the faces that get the same class as their mirror image; 1 where there is none.
  /// `network`: in evaluation mode, with the shared half below the split point.
  double of(Network& network) const;

 private:
  const std::size_t split_point_;
  torch::Tensor faces_, mirrored_;  ///< Activations at the split point; undefined without pictures.
};

}  // namespace fer
