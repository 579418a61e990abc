// Tent, a baseline: test-time adaptation by entropy minimisation.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "export.h"
#include "stream/face_sample.h"

namespace fer {

struct ModelFile;

struct TentConfig {
  int batch = 64;               ///< Faces a step.
  double learning_rate = 1e-3;  ///< Of SGD …
  double momentum = 0.9;        ///< … as Tent's authors set it for ImageNet.
};

/// Test-time entropy minimisation (Wang et al. 2021). Gradient descent on the entropy of the
/// predictions moves scale and shift of each batch normalisation, which uses the batch's
/// statistics. The served model has the running statistics in their place (LibTorch's average, 0.1
/// per step). Nothing guards it. Not thread-safe.
class FER_API Tent {
 public:
  Tent(const ModelFile& source, const TentConfig& config);
  ~Tent();
  Tent(const Tent&) = delete;
  Tent& operator=(const Tent&) = delete;

  /// A step for each whole batch. Crops of another size are refused by std::invalid_argument.
  void observe(const std::vector<FaceSample>& faces);
  std::uint64_t steps() const;
  /// The model as it is, with version and parent.
  ModelFile adapted() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
