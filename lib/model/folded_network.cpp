#include "model/folded_network.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "model/model_file.h"
#include "model/network_layout.h"

namespace fer {
namespace {

/// PyTorch's default, which no config changes.
constexpr double kBatchNormEps = 1e-5;

class Folder {
 public:
  explicit Folder(const ModelFile& model)
      : model_(model), layout_(network_layout(model.info.network)) {}

  /// The tensor's values, its shape checked.
  std::vector<float> values(const std::string& name) const {
    const auto it = model_.weights.find(name);
    if (it == model_.weights.end() || it->second.sizes() != at::IntArrayRef(layout_.at(name))) {
      throw std::runtime_error("the model has no tensor \"" + name + "\" of the right shape");
    }
    const torch::Tensor tensor = it->second.detach().to(torch::kCPU, torch::kFloat32).contiguous();
    const float* data = tensor.data_ptr<float>();
    return {data, data + tensor.numel()};
  }

  /// A convolution followed by batch norm.
  FoldedConv conv(const std::string& name, const std::string& norm, int stride) const {
    FoldedConv folded = shape_of(name, stride);
    folded.weight = values(name + ".weight");
    folded.bias = values(norm + ".bias");
    const auto gain = values(norm + ".weight"), mean = values(norm + ".running_mean"),
               variance = values(norm + ".running_var");
    const std::size_t kernel = folded.weight.size() / gain.size();
    for (std::size_t o = 0; o < gain.size(); ++o) {
      const double scale = gain[o] / std::sqrt(static_cast<double>(variance[o]) + kBatchNormEps);
      for (std::size_t i = o * kernel; i < (o + 1) * kernel; ++i) {
        folded.weight[i] = static_cast<float>(folded.weight[i] * scale);
      }
      folded.bias[o] = static_cast<float>(folded.bias[o] - mean[o] * scale);
    }
    return folded;
  }

  /// A convolution with a bias of its own.
  FoldedConv conv_with_bias(const std::string& name, int groups) const {
    FoldedConv folded = shape_of(name, 1);
    folded.groups = groups;
    folded.in *= groups;
    folded.weight = values(name + ".weight");
    folded.bias = values(name + ".bias");
    return folded;
  }

 private:
  FoldedConv shape_of(const std::string& name, int stride) const {
    const auto& shape = layout_.at(name + ".weight");
    FoldedConv conv;
    conv.out = static_cast<int>(shape[0]);
    conv.in = static_cast<int>(shape[1]);
    conv.kernel = static_cast<int>(shape[2]);
    conv.stride = stride;
    return conv;
  }

  const ModelFile& model_;
  const std::map<std::string, std::vector<std::int64_t>> layout_;
};

}  // namespace

FoldedNetwork fold(const ModelFile& model) {
  const NetworkConfig& config = model.info.network;
  const Folder folder(model);
  FoldedNetwork network;
  network.side = config.input_size;
  network.channels = config.channels;
  for (std::size_t value = 0; value < network.input.size(); ++value) {
    network.input[value] =
        (static_cast<float>(value) / 255.f - model.info.mean) / model.info.stddev;
  }
  network.stem = folder.conv("stem", "stem_bn", config.stem_stride);
  network.stem_pool = config.stem_pool;
  for (std::size_t stage = 0; stage < config.widths.size(); ++stage) {
    for (int i = 0; i < config.depths[stage]; ++i) {
      const std::string name = block_name(stage, i);
      const int stride = i == 0 ? config.strides[stage] : 1;
      FoldedBlock block;
      block.conv1 = folder.conv(name + ".conv1", name + ".bn1", stride);
      block.conv2 = folder.conv(name + ".conv2", name + ".bn2", 1);
      if (stride != 1 || block.conv1.in != block.conv1.out) {
        block.shortcut = folder.conv(name + ".shortcut", name + ".bn_shortcut", stride);
      }
      network.blocks.push_back(std::move(block));
    }
  }
  if (config.attention_branches > 0) {
    network.attention = {folder.conv_with_bias("attention.reduce", 1),
                         folder.conv_with_bias("attention.score", config.attention_branches)};
  }
  network.width = config.widths.back();
  network.classes = config.classes;
  network.head_weight = folder.values("head.weight");
  network.head_bias = folder.values("head.bias");
  return network;
}

}  // namespace fer
