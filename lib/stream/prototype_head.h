// A gradient-free head: class prototypes of the stream's own faces.
#pragma once

#include <torch/types.h>

#include <vector>

#include "stream/learner_config.h"
#include "stream/linear_head.h"

namespace fer {

/// A head that was made for a stream, and how many faces support it.
struct PrototypeHead {
  LinearHead head;
  std::vector<int> support;  ///< Per class: faces whose features the prototype averages.
};

/// Test-time classifier adjustment (T3A, Iwasawa and Matsuo 2021), mixed with the source's head.
///
/// The source's head labels each face, with a part of the class prior divided out. Of each class
/// the most confident faces are its support; the source's own weight row counts as one more. The
/// prototype is the mean of their directions. Logits by prototypes are scaled to the spread of the
/// source's logits on these faces, so that the mix weighs both alike.
///
/// `features`: N x D of the source network, N > 0. `prior`: shares of the classes that the source
/// assumes. Deterministic.
PrototypeHead make_prototype_head(const LinearHead& source, const std::vector<float>& prior,
                                  const torch::Tensor& features, const PrototypeConfig& config);

}  // namespace fer
