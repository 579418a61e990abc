#include "model/restore_batch_norm.h"

#include <torch/utils.h>

#include <vector>

#include "model/network.h"

namespace fer {
namespace {

/// In the order in which the images pass them.
std::vector<torch::nn::BatchNorm2d> norms_of(const NetworkImpl& network) {
  std::vector<torch::nn::BatchNorm2d> norms{network.stem_bn};
  for (const ResidualBlock& block : network.blocks) {
    norms.insert(norms.end(), {block->bn1, block->bn2});
    if (!block->bn_shortcut.is_empty()) norms.push_back(block->bn_shortcut);
  }
  return norms;
}

}  // namespace

void restore_batch_norm(NetworkImpl& network, const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;
  const bool was_training = network.is_training();
  network.eval();
  for (torch::nn::BatchNorm2d& norm : norms_of(network)) {
    const torch::Tensor gain = norm->weight / torch::sqrt(norm->running_var + norm->options.eps());
    const torch::Tensor shift = norm->bias - norm->running_mean * gain;
    // In training, with a momentum of one, the running statistics become those of the batch.
    const auto momentum = norm->options.momentum();
    norm->options.momentum(1.0);
    norm->train();
    network.features(images);
    norm->eval();
    norm->options.momentum(momentum);
    norm->weight.copy_(gain * torch::sqrt(norm->running_var + norm->options.eps()));
    norm->bias.copy_(shift + norm->running_mean * gain);
  }
  network.train(was_training);
}

}  // namespace fer
