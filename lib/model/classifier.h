// Serving: face crops in, probabilities of expressions out. Free of LibTorch in its interface.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "export.h"
#include "model/model_info.h"

namespace fer {

struct ModelFile;

/// Arithmetic of the convolutions.
enum class Precision { kFp32, kBf16 };

/// A model laid out for inference: batch norm folded into the convolutions, channels last, every
/// convolution sent to oneDNN directly. LibTorch 1.13 sends small batches of one past oneDNN, which
/// costs some forty times as much (tests/bench/classifier_bench.cpp keeps the figures).
///
/// Immutable and thread-safe once made.
class FER_API Classifier {
 public:
  Classifier(const ModelFile& model, Precision precision);
  ~Classifier();
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  /// Reads a model file; throws what read_model() throws.
  static std::shared_ptr<const Classifier> open(const std::filesystem::path& path,
                                                Precision precision);

  const ModelInfo& info() const { return info_; }
  /// Bytes of one crop: channels x input_size x input_size.
  std::size_t crop_bytes() const;
  std::size_t classes() const { return info_.labels.size(); }

  /// n crops, planar uint8, one after the other → n x classes logits under the model's own prior.
  /// `crops.size()` must be a multiple of crop_bytes(); throws std::invalid_argument otherwise.
  std::vector<float> logits(std::span<const std::uint8_t> crops) const;

 private:
  struct Layers;
  ModelInfo info_;
  std::unique_ptr<Layers> layers_;
};

/// Softmax of each row of `logits`, in place, after dividing out the model's prior to the power of
/// `prior_correction`: 0 assumes the training set's mix of expressions, 1 an even one.
FER_API void to_probabilities(std::span<float> logits, const ModelInfo& info,
                              double prior_correction);

/// Threads that LibTorch may use for the calling thread's own work; 0: one a core.
FER_API void set_inference_threads(int threads);

}  // namespace fer
