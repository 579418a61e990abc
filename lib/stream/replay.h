// Labelled rows for every step.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include "stream/labelled_faces.h"
#include "util/random.h"

namespace fer {

/// Draws labelled faces, the classes in turn. Every step learns them beside the stream's faces, so
/// that the network does not forget.
class Replay {
 public:
  explicit Replay(std::shared_ptr<const LabelledFaces> faces);

  struct Rows {
    torch::Tensor
        activations;       ///< At the faces' split point, N x C x S x S, where the network lies.
    torch::Tensor labels;  ///< N, int64, in the processor's memory.
  };
  /// The same for the same random numbers. `network` in evaluation mode.
  Rows draw(int n, Random random, Network& network) const;

 private:
  const std::shared_ptr<const LabelledFaces> faces_;
  std::vector<std::vector<std::size_t>> of_class_;  ///< Classes without rows left out.
};

}  // namespace fer
