#include "learn/run/restore_batch_norm.h"

#include <torch/utils.h>

#include <vector>

#include "learn/data/batches.h"
#include "learn/run/module_run.h"
#include "model/network_layout.h"
#include "network/model_file.h"
#include "network/network.h"

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

void restore_batch_norms(std::span<torch::nn::BatchNorm2d> norms,
                         const std::function<void()>& show) {
  const torch::NoGradGuard no_grad;
  for (torch::nn::BatchNorm2d& norm : norms) {
    const torch::Tensor gain = norm->weight / torch::sqrt(norm->running_var + norm->options.eps());
    const torch::Tensor shift = norm->bias - norm->running_mean * gain;
    // In training, with a momentum of one, the running statistics become those of the batch.
    const auto momentum = norm->options.momentum();
    norm->options.momentum(1.0);
    norm->train();
    show();
    norm->eval();
    norm->options.momentum(momentum);
    norm->weight.copy_(gain * torch::sqrt(norm->running_var + norm->options.eps()));
    norm->bias.copy_(shift + norm->running_mean * gain);
  }
}

void restore_batch_norm(NetworkImpl& network, const torch::Tensor& images) {
  const bool was_training = network.is_training();
  network.eval();
  std::vector<torch::nn::BatchNorm2d> norms = norms_of(network);
  restore_batch_norms(norms, [&] { network.features(images); });
  network.train(was_training);
}

void restore_batch_norm(ModelFile& start, const PackedDataset& data,
                        std::span<const std::size_t> rows) {
  Network network(start.info.network);
  // The head is not used: any will do.
  for (const auto& [name, tensor] : state_of(*network))
    if (is_of_head(name)) start.weights[name] = tensor;
  copy_state(start.weights, *network, "the start");
  restore_batch_norm(*network, plain_images(data, rows, {start.info.mean, start.info.stddev}));
  start.weights = state_in_memory(*network);
  std::erase_if(start.weights, [](const auto& item) { return is_of_head(item.first); });
}

}  // namespace fer
