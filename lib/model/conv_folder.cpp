#include "model/conv_folder.h"

#include <cmath>
#include <stdexcept>

namespace fer {
namespace {

/// PyTorch's default, which no config changes.
constexpr double kBatchNormEps = 1e-5;

}  // namespace

const std::vector<float>& ConvFolder::values(const std::string& name) const {
  const auto it = weights_.find(name);
  if (it == weights_.end() || it->second.shape != layout_.at(name)) {
    throw std::runtime_error("the model has no tensor \"" + name + "\" of the right shape");
  }
  return it->second.values;
}

FoldedConv ConvFolder::conv(const std::string& name, const std::string& norm, int stride,
                            int groups) const {
  FoldedConv folded = shape_of(name, stride, groups);
  folded.weight = values(name + ".weight");
  folded.bias = values(norm + ".bias");
  const std::vector<float>& gain = values(norm + ".weight");
  const std::vector<float>& mean = values(norm + ".running_mean");
  const std::vector<float>& variance = values(norm + ".running_var");
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

FoldedConv ConvFolder::conv_with_bias(const std::string& name, int groups) const {
  FoldedConv folded = shape_of(name, 1, groups);
  folded.weight = values(name + ".weight");
  folded.bias = values(name + ".bias");
  return folded;
}

FoldedConv ConvFolder::shape_of(const std::string& name, int stride, int groups) const {
  const auto& shape = layout_.at(name + ".weight");
  FoldedConv conv;
  conv.out = static_cast<int>(shape[0]);
  conv.in = static_cast<int>(shape[1]) * groups;
  conv.kernel = static_cast<int>(shape[2]);
  conv.stride = stride;
  conv.groups = groups;
  return conv;
}

}  // namespace fer
