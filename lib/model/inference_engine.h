// What computes a network for the classifier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "model/precision.h"

namespace fer {

struct FoldedNetwork;

/// One network, laid out for one device. Immutable and thread-safe once made.
class InferenceEngine {
 public:
  virtual ~InferenceEngine() = default;

  /// n crops, planar uint8 → n x classes logits.
  virtual void run(const std::uint8_t* crops, std::size_t n, float* logits) const = 0;

  /// Whether run() works on the calling thread alone, so that a batch ends sooner where several
  /// threads take a part of it each.
  virtual bool divisible() const = 0;

  /// The library that computes, for logs.
  virtual std::string name() const = 0;

  /// Why another one computes than was meant to (FallbackEngine); empty where none does.
  virtual std::string fallback() const { return {}; }
};

/// oneDNN, called directly. Throws std::exception where it has no kernel for this processor.
std::unique_ptr<InferenceEngine> make_onednn_engine(const FoldedNetwork& network,
                                                    Precision precision);

}  // namespace fer
