// The networks as LibTorch modules, for training. Serving goes through inference.h.
#pragma once

#include <torch/nn.h>

#include "model/batch_share.h"
#include "model/network_config.h"

namespace fer {

/// Basic residual block: two 3x3 convolutions with batch norm (He et al. 2016).
class ResidualBlockImpl : public torch::nn::Module {
 public:
  ResidualBlockImpl(int in, int out, int stride);
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr}, shortcut{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr}, bn2{nullptr}, bn_shortcut{nullptr};
  BatchSharePtr share;  ///< Empty: the rows here are the whole batch.
};
TORCH_MODULE(ResidualBlock);

/// Local attention with random dropping.
///
/// B branches of 1x1 convolutions, C → C/r → 1 with a sigmoid, each look for a telling area of the
/// face; the map of attention is their element-wise maximum and scales the features. In training,
/// with probability `drop_branch`, one branch of a sample is set to zero before the maximum, so
/// that no single area carries the decision. Our reconstruction after arXiv 2601.05556 and its
/// forerunner TransFER (Xue et al. 2021).
class LocalAttentionImpl : public torch::nn::Module {
 public:
  LocalAttentionImpl(int channels, int branches, int reduction, double drop_branch);
  /// N x C x H x W → the same shape.
  torch::Tensor forward(const torch::Tensor& x);

  /// All branches as one convolution: C → B·C/r, then grouped → B.
  torch::nn::Conv2d reduce{nullptr}, score{nullptr};
  BatchSharePtr share;  ///< Empty: the rows here are the whole batch.

 private:
  double drop_branch_;
};
TORCH_MODULE(LocalAttention);

class NetworkImpl : public torch::nn::Module {
 public:
  explicit NetworkImpl(const NetworkConfig& config);

  /// N x channels x S x S, normalised → logits, N x classes, fp32.
  torch::Tensor forward(torch::Tensor x);
  /// What the head sees, but for dropout: N x C, pooled.
  torch::Tensor features(torch::Tensor x);

  /// forward() in two halves, cut above the stem and the first `blocks_below` residual blocks (in
  /// [0, blocks.size()]): upper(lower(x, n), n) is forward(x). Of the lower half, N x C' x S' x S',
  /// never negative.
  torch::Tensor lower(torch::Tensor x, std::size_t blocks_below);
  torch::Tensor upper(torch::Tensor x, std::size_t blocks_below);
  /// True for a parameter or buffer of the half below the cut, by its name.
  bool is_below(const std::string& tensor, std::size_t blocks_below) const;

  /// From now on the rows that it is shown in training are a share of a batch: what is random is
  /// drawn as for the whole batch, and batch norm sees the whole batch.
  void share_batches(const BatchSharePtr& share);

  const NetworkConfig& config() const { return config_; }
  /// Where its weights lie.
  torch::Device device() const { return stem->weight.device(); }
  /// Multiply-accumulates of one face.
  std::int64_t macs() const;

  torch::nn::Conv2d stem{nullptr};
  torch::nn::BatchNorm2d stem_bn{nullptr};
  std::vector<ResidualBlock> blocks;
  LocalAttention attention{nullptr};  ///< Empty where the config has no branches.
  torch::nn::Linear head{nullptr};

 private:
  /// From the cut to what the head sees.
  torch::Tensor pooled(torch::Tensor x, std::size_t blocks_below);

  NetworkConfig config_;
  BatchSharePtr share_;
};
TORCH_MODULE(Network);

}  // namespace fer
