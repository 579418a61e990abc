// The project's own face detector as a LibTorch module, for training. It is served as ONNX, by
// vision/grid_detector.cpp.
#pragma once

#include <torch/nn.h>

#include <vector>

#include "network/detector_config.h"

namespace fer {

/// A depthwise and a pointwise convolution, batch norm and ReLU after each (Howard et al. 2017).
class SeparableBlockImpl : public torch::nn::Module {
 public:
  SeparableBlockImpl(int in, int out, int kernel, int stride);
  torch::Tensor forward(torch::Tensor x);

  torch::nn::Conv2d depthwise{nullptr}, pointwise{nullptr};
  torch::nn::BatchNorm2d depthwise_bn{nullptr}, pointwise_bn{nullptr};
};
TORCH_MODULE(SeparableBlock);

/// See DetectorNetConfig. The names of its tensors are those of detector_layout().
class DetectorNetImpl : public torch::nn::Module {
 public:
  explicit DetectorNetImpl(const DetectorNetConfig& config);

  /// N x 1 x H x W, pixel values 0 to 255, sides multiples of 32 → one map a stride of
  /// kCellStrides, N x kCellValues x H/stride x W/stride, fp32 (vision/detection_grid.h).
  std::vector<torch::Tensor> forward(const torch::Tensor& pixels);

  const DetectorNetConfig& config() const { return config_; }

  /// All batch norms, in the order in which a picture passes them.
  std::vector<torch::nn::BatchNorm2d> norms() const;

  torch::nn::Conv2d stem{nullptr};
  torch::nn::BatchNorm2d stem_bn{nullptr};
  std::vector<std::vector<SeparableBlock>> stages;
  std::vector<torch::nn::Conv2d> laterals;  ///< Of all levels but the first.
  std::vector<torch::nn::BatchNorm2d> lateral_bns;
  std::vector<SeparableBlock> heads;
  std::vector<torch::nn::Conv2d> outs;

 private:
  DetectorNetConfig config_;
};
TORCH_MODULE(DetectorNet);

}  // namespace fer
