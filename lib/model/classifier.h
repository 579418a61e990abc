// Serving: face crops in, probabilities of expressions out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "export.h"
#include "model/model_info.h"
#include "model/precision.h"

namespace fer {

struct StoredModel;
class InferenceEngine;

/// A model laid out for inference: batch norm folded into the convolutions, weights in the layout
/// that the processor's kernels want. On a CPU it calls oneDNN directly where the build has it:
/// LibTorch 1.13 sends small batches past oneDNN, and later ones reorder the weights in every call
/// (tests/bench/classifier_bench.cpp keeps the figures). On a CUDA device, and without oneDNN,
/// LibTorch computes; the library for that is opened at run time (torch_backend.h).
///
/// Immutable and thread-safe once made.
class FER_API Classifier {
 public:
  /// bf16 on a CPU that lacks it becomes fp32: see precision(). Throws std::runtime_error where the
  /// model lacks a tensor or nothing can compute it, and what resolve_device() throws.
  Classifier(const StoredModel& model, Precision precision, const std::string& device = "cpu");
  ~Classifier();
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  /// Reads a model file, or an ONNX network of others (.onnx) with its description beside it, which
  /// is computed on the processor, by ONNX Runtime or OpenCV. Throws what read_stored_model() and
  /// the constructor throw, and std::runtime_error for a network or description that does not do.
  static std::shared_ptr<const Classifier> open(const std::filesystem::path& path,
                                                Precision precision,
                                                const std::string& device = "cpu");

  /// What the model's file says of it.
  const ModelInfo& info() const { return info_; }
  /// The arithmetic it computes in, never kAuto.
  Precision precision() const { return precision_; }
  /// Why "auto" became the processor although there is a CUDA driver: from the start, or since the
  /// device failed. Empty where it did not.
  std::string fallback() const;
  /// What computes, for logs: "oneDNN 2.6.3 …".
  std::string engine() const;
  /// Bytes of one crop: channels x input_size x input_size.
  std::size_t crop_bytes() const;
  /// Logits of a crop.
  std::size_t classes() const { return info_.labels.size(); }

  /// n crops, planar uint8, one after the other → n x classes calibrated logits under the model's
  /// own prior; where info().mirror, the mean of those of each crop and of its mirror image.
  /// On a CPU it works on the calling thread alone. `crops.size()` must be a multiple of
  /// crop_bytes(); throws std::invalid_argument otherwise.
  std::vector<float> logits(std::span<const std::uint8_t> crops) const;

  /// Whether a batch ends sooner where several threads call logits() with a part of it each.
  bool divisible() const;

 private:
  Classifier(ModelInfo info, std::unique_ptr<const InferenceEngine> engine);

  const ModelInfo info_;
  std::string fallback_;
  Precision precision_ = Precision::kFp32;
  std::unique_ptr<const InferenceEngine> engine_;
};

/// Softmax of each row of `logits`, in place, after dividing out the model's prior to the power of
/// `prior_correction`: 0 assumes the training set's mix of expressions, 1 an even one. Below 0, it
/// is the model's own (prior_correction_of()).
FER_API void to_probabilities(std::span<float> logits, const ModelInfo& info,
                              double prior_correction);

}  // namespace fer
