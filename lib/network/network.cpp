#include "network/network.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/network_layout.h"
#include "network/fused_batch_norm_relu.h"

namespace fer {
namespace nn = torch::nn;
namespace {

nn::Conv2d conv(int in, int out, int kernel, int stride, bool padded = true) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel)
                        .stride(stride)
                        .padding(padded ? kernel / 2 : 0)
                        .bias(false));
}

/// relu(bn(x) + shortcut), of the larger of both shapes, with zeros for what is missing. `shortcut`
/// is an average pool of what `x` was made of: never negative, of no more channels, and at most one
/// row and column larger.
torch::Tensor sum_with_pool(nn::BatchNorm2dImpl& bn, const torch::Tensor& x,
                            const BatchShardPtr& shard, torch::Tensor shortcut) {
  if (shortcut.size(1) < x.size(1)) {
    shortcut = torch::constant_pad_nd(shortcut, {0, 0, 0, 0, 0, x.size(1) - shortcut.size(1)});
  }
  const auto height = x.size(2), width = x.size(3);
  const torch::Tensor inner = shortcut.slice(2, 0, height).slice(3, 0, width);
  const torch::Tensor sum =
      fused_batch_norm_relu(bn, x, shard, inner.contiguous(torch::MemoryFormat::ChannelsLast));
  if (shortcut.size(2) == height && shortcut.size(3) == width) return sum;
  // Beyond x the sum is the shortcut alone, which a ReLU leaves as it is.
  const torch::Tensor rows = torch::cat({sum, shortcut.slice(2, 0, height).slice(3, width)}, 3);
  return torch::cat({rows, shortcut.slice(2, height)}, 2);
}

/// Drops of each row of `x` (N x C x …) whole channels, each with `probability`, and scales what
/// stays, by what torch::feature_dropout() draws for the whole batch.
torch::Tensor drop_channels(const torch::Tensor& x, double probability,
                            const BatchShardPtr& shard) {
  if (!shard) return torch::feature_dropout(x, probability, /*train=*/true);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[0] = shard->size;
  shape[1] = x.size(1);
  const torch::Tensor kept = torch::empty(shape, x.options()).bernoulli_(1 - probability);
  return x * shard->own(kept.div_(1 - probability));
}

}  // namespace

ResidualBlockImpl::ResidualBlockImpl(int in, int out, int stride, Downsampling downsampling)
    : pools_(downsampling == Downsampling::kPooling && stride != 1) {
  conv1 = register_module("conv1", conv(in, out, 3, stride, /*padded=*/!pools_));
  bn1 = register_module("bn1", nn::BatchNorm2d(out));
  conv2 = register_module("conv2", conv(out, out, 3, 1));
  bn2 = register_module("bn2", nn::BatchNorm2d(out));
  if (!pools_ && (stride != 1 || in != out)) {
    shortcut = register_module("shortcut", conv(in, out, 1, stride));
    bn_shortcut = register_module("bn_shortcut", nn::BatchNorm2d(out));
  }
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& x) {
  const torch::Tensor y = fused_batch_norm_relu(*bn1, conv1(x), shard);
  if (pools_) return sum_with_pool(*bn2, conv2(y), shard, torch::avg_pool2d(x, 2));
  const torch::Tensor past = shortcut.is_empty() ? x
                                                 : fused_batch_norm_relu(*bn_shortcut, shortcut(x),
                                                                         shard, {}, /*relu=*/false);
  return fused_batch_norm_relu(*bn2, conv2(y), shard, past);
}

LocalAttentionImpl::LocalAttentionImpl(int channels, int branches, int reduction,
                                       double drop_branch)
    : drop_branch_(drop_branch) {
  const int inner = std::max(1, channels / reduction);
  reduce = register_module("reduce", nn::Conv2d(nn::Conv2dOptions(channels, branches * inner, 1)));
  score = register_module(
      "score", nn::Conv2d(nn::Conv2dOptions(branches * inner, branches, 1).groups(branches)));
}

torch::Tensor LocalAttentionImpl::forward(const torch::Tensor& x) {
  torch::Tensor maps = torch::sigmoid(score(torch::relu(reduce(x))).to(torch::kFloat));
  const auto n = maps.size(0), branches = maps.size(1);
  if (is_training() && drop_branch_ > 0 && branches > 1) {
    // One branch a sample, chosen at random, falls silent with probability drop_branch.
    const auto drawn = shard ? shard->size : n;
    const torch::Tensor victim =
        torch::randint(branches, {drawn, 1}, maps.options().dtype(torch::kLong));
    const torch::Tensor falls =
        (torch::rand({drawn, 1}, maps.options()) < drop_branch_).to(torch::kFloat);
    // Not one_hot(), which asks the device whether all numbers are classes.
    const torch::Tensor hit = victim == torch::arange(branches, victim.options());
    torch::Tensor keep = 1 - hit.to(torch::kFloat) * falls;
    if (shard) keep = shard->own(keep);
    maps = maps * keep.view({n, branches, 1, 1});
  }
  return x * maps.amax(1, /*keepdim=*/true).to(x.scalar_type());
}

NetworkImpl::NetworkImpl(const NetworkConfig& config) : config_(config) {
  config_.check();
  const bool padded = config.downsampling == Downsampling::kProjection;
  stem = register_module("stem", conv(config.channels, config.stem_width, config.stem_kernel,
                                      config.stem_stride, padded));
  stem_bn = register_module("stem_bn", nn::BatchNorm2d(config.stem_width));
  int width = config.stem_width;
  for (std::size_t stage = 0; stage < config.widths.size(); ++stage) {
    for (int i = 0; i < config.depths[stage]; ++i) {
      ResidualBlock block(width, config.widths[stage], i == 0 ? config.strides[stage] : 1,
                          config.downsampling);
      register_module(block_name(stage, i), block);
      blocks.push_back(block);
      width = config.widths[stage];
    }
  }
  if (config.attention_branches > 0) {
    attention = register_module(
        "attention", LocalAttention(width, config.attention_branches, config.attention_reduction,
                                    config.drop_branch));
  }
  head = register_module("head", nn::Linear(width, config.classes));

  for (auto& module : modules(/*include_self=*/false)) {
    if (auto* c = module->as<nn::Conv2d>()) {
      nn::init::kaiming_normal_(c->weight, 0, torch::kFanOut, torch::kReLU);
    }
  }
}

torch::Tensor NetworkImpl::forward(torch::Tensor x) {
  return head_blocks(trunk(std::move(x), blocks.size()), blocks.size());
}

torch::Tensor NetworkImpl::features(torch::Tensor x) {
  return features_above(trunk(std::move(x), blocks.size()), blocks.size());
}

torch::Tensor NetworkImpl::trunk(torch::Tensor x, std::size_t split_point) {
  x = fused_batch_norm_relu(*stem_bn, stem(x), shard_);
  if (config_.stem_pool) {
    x = torch::max_pool2d(x, 3, 2, config_.downsampling == Downsampling::kProjection ? 1 : 0);
  }
  for (std::size_t i = 0; i < split_point; ++i) x = blocks.at(i)(x);
  return x;
}

torch::Tensor NetworkImpl::head_blocks(torch::Tensor x, std::size_t split_point) {
  return classify(features_above(std::move(x), split_point));
}

torch::Tensor NetworkImpl::classify(torch::Tensor features) {
  if (is_training() && config_.dropout > 0)
    features = drop_channels(features, config_.dropout, shard_);
  return head(features).to(torch::kFloat);
}

torch::Tensor NetworkImpl::features_above(torch::Tensor x, std::size_t split_point) {
  for (std::size_t i = split_point; i < blocks.size(); ++i) x = blocks[i](x);
  if (is_training() && config_.drop_feature > 0) x = drop_channels(x, config_.drop_feature, shard_);
  if (!attention.is_empty()) x = attention(x);
  return x.mean({2, 3});
}

void NetworkImpl::enable_sync_bn(const BatchShardPtr& shard) {
  shard_ = shard;
  if (!attention.is_empty()) attention->shard = shard;
  for (ResidualBlock& block : blocks) block->shard = shard;
}

bool NetworkImpl::is_in_trunk(const std::string& tensor, std::size_t split_point) const {
  if (tensor.starts_with("stem.") || tensor.starts_with("stem_bn.")) return true;
  for (std::size_t stage = 0; stage < config_.depths.size(); ++stage) {
    for (int i = 0; i < config_.depths[stage]; ++i) {
      if (split_point-- == 0) return false;
      if (tensor.starts_with(block_name(stage, i) + ".")) return true;
    }
  }
  return false;
}

std::size_t NetworkImpl::depth_below_head(const std::string& tensor) const {
  const std::size_t stages = config_.widths.size();
  if (tensor.starts_with("stem.") || tensor.starts_with("stem_bn.")) return stages + 1;
  for (std::size_t stage = 0; stage < stages; ++stage) {
    // Blocks are called "stage" + number + "_" + number.
    const std::string first = block_name(stage, 0);
    if (tensor.starts_with(first.substr(0, first.rfind('_') + 1))) return stages - stage;
  }
  return 0;
}

std::int64_t NetworkImpl::macs() const {
  const MapSides sides = map_sides(config_);
  std::int64_t total = 0;
  const auto add = [&](const nn::Conv2d& c, std::int64_t out_side) {
    total += c->weight.numel() * out_side * out_side;
  };
  add(stem, sides.stem);
  std::int64_t side = sides.pooled;
  auto block = blocks.begin();
  for (std::size_t stage = 0; stage < config_.depths.size(); ++stage) {
    for (int i = 0; i < config_.depths[stage]; ++i, ++block) {
      side = sides.stages[stage];
      add((*block)->conv1, side);
      add((*block)->conv2, side);
      if (!(*block)->shortcut.is_empty()) add((*block)->shortcut, side);
    }
  }
  if (!attention.is_empty()) {
    add(attention->reduce, side);
    add(attention->score, side);
  }
  return total + head->weight.numel();
}

}  // namespace fer
