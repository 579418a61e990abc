// Models with random weights, which the tests make for themselves. Free of LibTorch, whose headers
// take longest to compile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/model_info.h"

namespace fer {
struct ModelFile;
struct StoredModel;
}  // namespace fer

namespace fer::test {

/// Small enough to be made, written and run in milliseconds; it has every kind of layer.
NetworkConfig tiny_config();

/// The tiny network with another number of pixels a side.
NetworkConfig tiny_config(int input_size, int channels = 1);

/// Networks of every kind that a model file may hold: FerNet, small ones with attention, without,
/// and with odd sizes, grey and RGB, a resnet18.
std::vector<NetworkConfig> varied_configs();

/// A model with random weights and random statistics, as after training: all of them count in the
/// outputs.
class RandomModel {
 public:
  explicit RandomModel(const NetworkConfig& config = tiny_config(), std::uint64_t seed = 1);
  ~RandomModel();
  RandomModel(const RandomModel&) = delete;
  RandomModel& operator=(const RandomModel&) = delete;

  ModelFile& file() { return *file_; }
  ModelInfo& info();
  /// As it is served: a copy.
  std::shared_ptr<const StoredModel> stored() const;

  /// Writes the model file and returns its version.
  std::string write(const std::filesystem::path& path, bool bf16 = false);

  /// Logits of the crops (planar uint8) by the module's own forward in evaluation mode.
  std::vector<float> plain_logits(std::span<const std::uint8_t> crops, bool bf16 = false,
                                  int threads = 1);

 private:
  struct Module;
  std::unique_ptr<ModelFile> file_;
  std::unique_ptr<Module> fp32_, bf16_;
};

/// Writes a model whose answer is the same for every face: probability `share` for class `label`,
/// the rest spread evenly. Returns its version.
std::string write_constant_model(const std::filesystem::path& path, int label, double share = 0.9,
                                 const NetworkConfig& config = tiny_config());

std::vector<std::uint8_t> random_bytes(std::size_t n, unsigned seed = 1);

}  // namespace fer::test
