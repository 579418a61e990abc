#include "model/classifier.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "model/model_file.h"
#include "model/network.h"

namespace fer {
namespace {

/// A convolution with its batch norm folded in.
struct FusedConv {
  torch::Tensor weight, bias;
  std::vector<std::int64_t> stride, padding;
  std::int64_t groups = 1;

  FusedConv() = default;
  FusedConv(const torch::nn::Conv2d& conv, const torch::nn::BatchNorm2d& norm,
            torch::ScalarType type) {
    const auto& o = conv->options;
    stride = {o.stride()->at(0), o.stride()->at(1)};
    const std::int64_t pad = o.kernel_size()->at(0) / 2;
    padding = {pad, pad};
    groups = o.groups();
    torch::Tensor w = conv->weight.to(torch::kDouble);
    torch::Tensor b = conv->bias.defined() ? conv->bias.to(torch::kDouble)
                                           : torch::zeros({w.size(0)}, torch::kDouble);
    if (!norm.is_empty()) {
      const torch::Tensor gain =
          norm->weight.to(torch::kDouble) /
          torch::sqrt(norm->running_var.to(torch::kDouble) + norm->options.eps());
      w = w * gain.view({-1, 1, 1, 1});
      b = (b - norm->running_mean.to(torch::kDouble)) * gain + norm->bias.to(torch::kDouble);
    }
    weight = w.to(type).contiguous(at::MemoryFormat::ChannelsLast);
    bias = b.to(type);
  }

  torch::Tensor operator()(const torch::Tensor& x) const {
    return at::mkldnn_convolution(x, weight, bias, padding, stride, {1, 1}, groups);
  }
};

struct FusedBlock {
  FusedConv conv1, conv2, shortcut;
  bool identity = true;

  torch::Tensor operator()(const torch::Tensor& x) const {
    torch::Tensor y = conv1(x).relu_();
    return conv2(y).add_(identity ? x : shortcut(x)).relu_();
  }
};

}  // namespace

struct Classifier::Layers {
  torch::ScalarType type;
  FusedConv stem;
  bool pool = false;
  std::vector<FusedBlock> blocks;
  bool attends = false;
  FusedConv reduce, score;
  torch::Tensor head_weight, head_bias;

  Layers(const ModelFile& model, Precision precision)
      : type(precision == Precision::kBf16 ? torch::kBFloat16 : torch::kFloat32) {
    torch::NoGradGuard no_grad;
    // The module names its tensors; it is filled from the file, folded, and forgotten.
    Network network(model.info.network);
    auto fill = [&](const std::string& name, torch::Tensor& tensor) {
      const auto it = model.weights.find(name);
      if (it == model.weights.end() || it->second.sizes() != tensor.sizes())
        throw std::runtime_error("model has no tensor \"" + name + "\" of the right shape");
      tensor.copy_(it->second);
    };
    for (auto& item : network->named_parameters()) fill(item.key(), item.value());
    for (auto& item : network->named_buffers())
      if (item.value().is_floating_point()) fill(item.key(), item.value());

    stem = FusedConv(network->stem, network->stem_bn, type);
    pool = model.info.network.stem_pool;
    for (auto& block : network->blocks) {
      FusedBlock fused;
      fused.conv1 = FusedConv(block->conv1, block->bn1, type);
      fused.conv2 = FusedConv(block->conv2, block->bn2, type);
      fused.identity = block->shortcut.is_empty();
      if (!fused.identity) fused.shortcut = FusedConv(block->shortcut, block->bn_shortcut, type);
      blocks.push_back(std::move(fused));
    }
    attends = !network->attention.is_empty();
    if (attends) {
      reduce = FusedConv(network->attention->reduce, nullptr, type);
      score = FusedConv(network->attention->score, nullptr, type);
    }
    head_weight = network->head->weight.t().contiguous();
    head_bias = network->head->bias.clone();
  }

  /// Normalised fp32 images → fp32 logits.
  torch::Tensor forward(const torch::Tensor& images) const {
    torch::Tensor x =
        stem(images.to(type).contiguous(at::MemoryFormat::ChannelsLast)).relu_();
    if (pool) x = torch::max_pool2d(x, 3, 2, 1);
    for (const FusedBlock& block : blocks) x = block(x);
    if (attends) {
      const torch::Tensor maps = score(reduce(x).relu_()).sigmoid_();
      x = x * maps.amax(1, /*keepdim=*/true);
    }
    const torch::Tensor pooled = x.to(torch::kFloat32).mean({2, 3});
    return torch::addmm(head_bias, pooled, head_weight);
  }
};

Classifier::Classifier(const ModelFile& model, Precision precision)
    : info_(model.info), layers_(std::make_unique<Layers>(model, precision)) {}

Classifier::~Classifier() = default;

std::shared_ptr<const Classifier> Classifier::open(const std::filesystem::path& path,
                                                   Precision precision) {
  return std::make_shared<const Classifier>(read_model(path), precision);
}

std::size_t Classifier::crop_bytes() const {
  const NetworkConfig& n = info_.network;
  return static_cast<std::size_t>(n.channels) * n.input_size * n.input_size;
}

std::vector<float> Classifier::logits(std::span<const std::uint8_t> crops) const {
  if (crops.size() % crop_bytes() != 0)
    throw std::invalid_argument("Classifier::logits: expected whole crops of " +
                                std::to_string(crop_bytes()) + " bytes");
  const auto n = static_cast<std::int64_t>(crops.size() / crop_bytes());
  if (n == 0) return {};
  const c10::InferenceMode inference;
  const NetworkConfig& config = info_.network;
  const torch::Tensor bytes =
      torch::from_blob(const_cast<std::uint8_t*>(crops.data()),
                       {n, config.channels, config.input_size, config.input_size}, torch::kUInt8);
  const torch::Tensor images =
      bytes.to(torch::kFloat32).mul_(1 / (255.f * info_.stddev)).sub_(info_.mean / info_.stddev);
  const torch::Tensor out = layers_->forward(images).contiguous();
  const float* data = out.data_ptr<float>();
  return {data, data + out.numel()};
}

void to_probabilities(std::span<float> logits, const ModelInfo& info, double prior_correction) {
  const std::size_t classes = info.labels.size();
  std::vector<float> shift(classes);
  for (std::size_t k = 0; k < classes; ++k)
    shift[k] = static_cast<float>(prior_correction * std::log(info.prior[k]));
  for (std::size_t row = 0; row + classes <= logits.size(); row += classes) {
    const std::span<float> p = logits.subspan(row, classes);
    for (std::size_t k = 0; k < classes; ++k) p[k] -= shift[k];
    const float top = *std::max_element(p.begin(), p.end());
    float sum = 0;
    for (float& v : p) sum += v = std::exp(v - top);
    for (float& v : p) v /= sum;
  }
}

void set_inference_threads(int threads) {
  at::set_num_threads(threads > 0 ? threads
                                  : std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
}

}  // namespace fer
