#include "network/detector_net.h"

#include <cmath>

#include "network/fused_batch_norm_relu.h"
#include "vision/detection_grid.h"

namespace fer {
namespace nn = torch::nn;
namespace {

/// What a cell says before it has learned: that faces are rare, that they lie in the middle of the
/// cell and are so many strides large.
constexpr double kFaceShare = 0.01;
constexpr double kFirstSizes[] = {2.5, 4, 6};

nn::Conv2d conv(int in, int out, int kernel, int stride, int groups = 1, bool bias = false) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel)
                        .stride(stride)
                        .padding(kernel / 2)
                        .groups(groups)
                        .bias(bias));
}

void set_first_guess(nn::Conv2d& out, double size) {
  torch::NoGradGuard no_grad;
  nn::init::normal_(out->weight, 0, 0.01);
  out->bias.fill_(0.5);
  out->bias[0] = std::log(kFaceShare / (1 - kFaceShare));
  out->bias.slice(0, 3, 5).fill_(std::log(size));
}

}  // namespace

SeparableBlockImpl::SeparableBlockImpl(int in, int out, int kernel, int stride) {
  depthwise = register_module("depthwise", conv(in, in, kernel, stride, in));
  depthwise_bn = register_module("depthwise_bn", nn::BatchNorm2d(in));
  pointwise = register_module("pointwise", conv(in, out, 1, 1));
  pointwise_bn = register_module("pointwise_bn", nn::BatchNorm2d(out));
}

torch::Tensor SeparableBlockImpl::forward(torch::Tensor x) {
  x = fused_batch_norm_relu(*depthwise_bn, depthwise(x));
  return fused_batch_norm_relu(*pointwise_bn, pointwise(x));
}

DetectorNetImpl::DetectorNetImpl(const DetectorNetConfig& config) : config_(config) {
  config_.check();
  stem =
      register_module("stem", conv(1, config.stem_width, config.stem_kernel, config.stem_stride));
  stem_bn = register_module("stem_bn", nn::BatchNorm2d(config.stem_width));
  int width = config.stem_width;
  for (std::size_t level = 0; level < kCellStrides.size(); ++level) {
    stages.emplace_back();
    for (int i = 0; i < config.depths[level]; ++i) {
      SeparableBlock block(width, config.widths[level], config.kernels[level],
                           detector_block_stride(config, level, i));
      stages.back().push_back(register_module(detector_block(kCellStrides[level], i), block));
      width = config.widths[level];
    }
  }
  const int neck = config.widths[0];
  for (std::size_t level = 0; level < kCellStrides.size(); ++level) {
    const int stride = kCellStrides[level];
    if (level > 0) {
      laterals.push_back(register_module(detector_part("lateral", stride),
                                         conv(config.widths[level], neck, 1, 1)));
      lateral_bns.push_back(
          register_module(detector_part("lateral_bn", stride), nn::BatchNorm2d(neck)));
    }
    heads.push_back(
        register_module(detector_part("head", stride), SeparableBlock(neck, neck, 3, 1)));
    outs.push_back(register_module(detector_part("out", stride),
                                   conv(neck, kCellValues, 1, 1, 1, /*bias=*/true)));
  }
  for (auto& module : modules(/*include_self=*/false)) {
    if (auto* c = module->as<nn::Conv2d>())
      nn::init::kaiming_normal_(c->weight, 0, torch::kFanIn, torch::kReLU);
  }
  for (std::size_t level = 0; level < outs.size(); ++level)
    set_first_guess(outs[level], kFirstSizes[level]);
}

std::vector<torch::Tensor> DetectorNetImpl::forward(const torch::Tensor& pixels) {
  torch::Tensor x = fused_batch_norm_relu(*stem_bn, stem(pixels * (1.0 / 255)));
  std::vector<torch::Tensor> features;
  for (auto& stage : stages) {
    for (auto& block : stage) x = block(x);
    features.push_back(x);
  }
  for (std::size_t level = features.size() - 1; level > 0; --level) {
    const torch::Tensor lateral = laterals[level - 1](features[level]);
    torch::Tensor above;
    if (level + 1 < features.size())
      above = torch::upsample_nearest2d(features[level + 1], {lateral.size(2), lateral.size(3)});
    features[level] =
        fused_batch_norm_relu(*lateral_bns[level - 1], lateral, {}, above, /*relu=*/false);
  }
  features[0] = features[0] +
                torch::upsample_nearest2d(features[1], {features[0].size(2), features[0].size(3)});
  std::vector<torch::Tensor> maps;
  for (std::size_t level = 0; level < features.size(); ++level)
    maps.push_back(outs[level](heads[level](features[level])).to(torch::kFloat));
  return maps;
}

std::vector<nn::BatchNorm2d> DetectorNetImpl::norms() const {
  std::vector<nn::BatchNorm2d> all{stem_bn};
  const auto add = [&](const SeparableBlock& block) {
    all.insert(all.end(), {block->depthwise_bn, block->pointwise_bn});
  };
  for (const auto& stage : stages)
    for (const SeparableBlock& block : stage) add(block);
  all.insert(all.end(), lateral_bns.rbegin(), lateral_bns.rend());
  for (const SeparableBlock& head : heads) add(head);
  return all;
}

}  // namespace fer
