// What computes a network of others: ONNX Runtime where the build has it, else OpenCV.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace fer {

struct NetworkPlan;

/// One network. Immutable and thread-safe once made.
class NetworkRunner {
 public:
  virtual ~NetworkRunner() = default;

  /// n inputs of fill_input() → n x outputs() values.
  virtual void run(const float* input, std::size_t n, float* outputs) const = 0;

  /// Values that the network says of a face.
  virtual std::size_t outputs() const = 0;

  /// As InferenceEngine::divisible().
  virtual bool divisible() const = 0;

  /// The library that computes, with its version.
  virtual std::string name() const = 0;
};

/// Reads the network and runs it once. Some broken files end the process (network_trial.h). Throws
/// std::runtime_error with what was found: "a file that …".
std::unique_ptr<const NetworkRunner> open_runner(const std::string& onnx, const NetworkPlan& plan);

}  // namespace fer
