// The networks as LibTorch modules, for training. Serving goes through inference.h.
#pragma once

#include <torch/nn.h>

#include "model/network_config.h"
#include "network/batch_shard.h"

namespace fer {

/// Basic residual block: two 3x3 convolutions with batch norm (He et al. 2016).
class ResidualBlockImpl : public torch::nn::Module {
 public:
  ResidualBlockImpl(int in, int out, int stride,
                    Downsampling downsampling = Downsampling::kProjection);
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr}, shortcut{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr}, bn2{nullptr}, bn_shortcut{nullptr};
  BatchShardPtr shard;  ///< Empty: this process has the whole batch.

 private:
  bool pools_ = false;  ///< The shortcut is an average pool.
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
  BatchShardPtr shard;  ///< Empty: this process has the whole batch.

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

  /// forward() in two parts. The trunk is the stem and the first `split_point` residual blocks, in
  /// [0, blocks.size()]; the rest are the head's blocks: head_blocks(trunk(x, n), n) is forward(x).
  /// trunk() returns N x C' x S' x S', never negative.
  torch::Tensor trunk(torch::Tensor x, std::size_t split_point);
  torch::Tensor head_blocks(torch::Tensor x, std::size_t split_point);
  /// head_blocks() in two parts: head_blocks(x, n) is classify(features_above(x, n)). The first
  /// returns the head's input before dropout: N x C, pooled.
  torch::Tensor features_above(torch::Tensor x, std::size_t split_point);
  torch::Tensor classify(torch::Tensor features);
  /// True where the named parameter or buffer belongs to the trunk.
  bool is_in_trunk(const std::string& tensor, std::size_t split_point) const;

  /// How many stages lie above a parameter, the head not among them: 0 for the head and the last
  /// stage's attention, 1 for the last stage, and so on down to the stem.
  std::size_t depth_below_head(const std::string& tensor) const;

  /// From now on, in training, forward() gets one process's rows of a batch. Batch norm takes its
  /// statistics over the whole batch, and dropout draws as for the whole batch.
  void enable_sync_bn(const BatchShardPtr& shard);

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
  NetworkConfig config_;
  BatchShardPtr shard_;
};
TORCH_MODULE(Network);

}  // namespace fer
