#include "unit/model/model_support.h"

#include <torch/torch.h>

#include <cmath>
#include <random>

#include "model/labels.h"
#include "model/stored_model.h"
#include "network/model_file.h"
#include "network/network.h"
#include "network/torch_seed.h"
#include "network/torch_weights.h"

namespace fer::test {

NetworkConfig tiny_config() {
  return tiny_config(24);
}

NetworkConfig tiny_config(int input_size, int channels) {
  NetworkConfig config;
  config.name = "tiny";
  config.input_size = input_size;
  config.channels = channels;
  config.stem_width = 8;
  config.widths = {8, 16};
  config.depths = {2, 1};
  config.strides = {1, 2};
  config.attention_reduction = 4;
  return config;
}

std::vector<NetworkConfig> varied_configs() {
  NetworkConfig without_attention = tiny_config();
  without_attention.attention_branches = 0;

  NetworkConfig one_branch = tiny_config();
  one_branch.attention_branches = 1;

  NetworkConfig resnet18 = network_preset("resnet18");
  resnet18.input_size = 32;
  resnet18.widths = {8, 16, 24, 40};
  resnet18.stem_width = 8;
  resnet18.channels = 3;

  NetworkConfig odd = tiny_config(25, 3);
  odd.widths = {7, 19};
  odd.stem_width = 5;
  odd.stem_kernel = 5;
  odd.stem_stride = 3;
  odd.attention_branches = 3;
  odd.attention_reduction = 1;
  odd.classes = 3;

  // Sides 24, 20, 9, 4, 2: the second stage has no border row, the third has one (its convolutions
  // make 1 pixel of 4, its pool makes 2).
  NetworkConfig pooling = without_attention;
  pooling.input_size = 24;
  pooling.stem_kernel = 5;
  pooling.stem_pool = true;
  pooling.widths = {8, 12, 20};
  pooling.depths = {1, 2, 1};
  pooling.strides = {1, 2, 2};
  pooling.downsampling = Downsampling::kPooling;

  return {tiny_config(),
          without_attention,
          one_branch,
          resnet18,
          odd,
          pooling,
          network_preset("fernet"),
          network_preset("facenet")};
}

struct RandomModel::Module {
  Network network;
  torch::ScalarType type;

  Module(const ModelFile& model, torch::ScalarType scalar)
      : network(model.info.network), type(scalar) {
    const torch::NoGradGuard no_grad;
    for (auto& item : network->named_parameters()) item.value().copy_(model.weights.at(item.key()));
    for (auto& item : network->named_buffers()) {
      if (item.value().is_floating_point()) item.value().copy_(model.weights.at(item.key()));
    }
    network->eval();
    network->to(type);
  }
};

RandomModel::RandomModel(const NetworkConfig& config, std::uint64_t seed)
    : file_(std::make_unique<ModelFile>()) {
  const torch::NoGradGuard no_grad;
  seed_torch(seed);
  Network network(config);
  info().network = config;
  info().labels = ferplus_labels();
  info().labels.resize(static_cast<std::size_t>(config.classes), "other");
  info().prior.assign(info().labels.size(), 1.f / static_cast<float>(info().labels.size()));
  const auto keep = [&](const std::string& name, const torch::Tensor& tensor) {
    if (!tensor.is_floating_point()) return;
    // Batch norm's, which a new network has at 1 and 0, and the second one of a block all at 0.
    if (name.ends_with(".running_var")) tensor.uniform_(0.5, 1.5);
    if (name.ends_with(".running_mean")) tensor.uniform_(-0.5, 0.5);
    if (name.find("bn") != std::string::npos && name.ends_with(".weight")) tensor.uniform_(0.3, 1);
    if (name.ends_with(".bias")) tensor.uniform_(-0.3, 0.3);
    file_->weights[name] = tensor.detach().clone();
  };
  for (const auto& item : network->named_parameters()) keep(item.key(), item.value());
  for (const auto& item : network->named_buffers()) keep(item.key(), item.value());
}

RandomModel::~RandomModel() = default;

ModelInfo& RandomModel::info() {
  return file_->info;
}

std::shared_ptr<const StoredModel> RandomModel::stored() const {
  return std::make_shared<const StoredModel>(to_stored(*file_));
}

std::string RandomModel::write(const std::filesystem::path& path, bool bf16) {
  write_model(path, *file_, bf16);
  return info().version;
}

std::vector<float> RandomModel::plain_logits(std::span<const std::uint8_t> crops, bool bf16,
                                             int threads) {
  const c10::InferenceMode inference;
  at::set_num_threads(threads);
  std::unique_ptr<Module>& module = bf16 ? bf16_ : fp32_;
  if (!module) {
    module = std::make_unique<Module>(*file_, bf16 ? torch::kBFloat16 : torch::kFloat32);
  }
  const NetworkConfig& config = info().network;
  const torch::Tensor bytes =
      torch::from_blob(const_cast<std::uint8_t*>(crops.data()),
                       {static_cast<std::int64_t>(crops.size()) /
                            (config.channels * config.input_size * config.input_size),
                        config.channels, config.input_size, config.input_size},
                       torch::kUInt8);
  const torch::Tensor images = (bytes.to(torch::kFloat32) / 255 - info().mean) / info().stddev;
  const torch::Tensor logits = module->network->forward(images.to(module->type)).contiguous();
  const float* data = logits.data_ptr<float>();
  return {data, data + logits.numel()};
}

std::string write_constant_model(const std::filesystem::path& path, int label, double share,
                                 const NetworkConfig& config) {
  RandomModel model(config);
  auto& weights = model.file().weights;
  weights.at("head.weight").zero_();
  torch::Tensor bias = weights.at("head.bias");
  bias.fill_(std::log((1 - share) / (config.classes - 1)));
  bias[label] = std::log(share);
  return model.write(path);
}

std::vector<std::uint8_t> random_bytes(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(n);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

}  // namespace fer::test
