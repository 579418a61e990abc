#include "model/folded_network.h"

#include <algorithm>
#include <string>

#include "model/calibration.h"
#include "model/conv_folder.h"
#include "model/network_layout.h"
#include "model/stored_model.h"

namespace fer {
namespace {

/// The 2x2 average pool of a block's shortcut, with zeros for the channels that `in` lacks, as a
/// convolution: every engine knows those, and its cost is a hundredth of the network's.
FoldedConv average_pool(int in, int out) {
  FoldedConv pool;
  pool.in = in;
  pool.out = out;
  pool.kernel = pool.stride = 2;
  pool.padded = false;
  pool.weight.assign(static_cast<std::size_t>(out) * static_cast<std::size_t>(in) * 4, 0.f);
  pool.bias.assign(static_cast<std::size_t>(out), 0.f);
  for (int c = 0; c < in; ++c) {
    const auto first = pool.weight.begin() + (static_cast<std::ptrdiff_t>(c) * in + c) * 4;
    std::fill(first, first + 4, 0.25f);
  }
  return pool;
}

}  // namespace

FoldedNetwork fold(const StoredModel& model) {
  const NetworkConfig& config = model.info.network;
  const ConvFolder folder(model.weights, network_layout(config));
  FoldedNetwork network;
  network.side = config.input_size;
  network.channels = config.channels;
  for (std::size_t value = 0; value < network.input.size(); ++value) {
    network.input[value] =
        (static_cast<float>(value) / 255.f - model.info.mean) / model.info.stddev;
  }
  const bool pools = config.downsampling == Downsampling::kPooling;
  network.stem = folder.conv("stem", "stem_bn", config.stem_stride);
  network.stem.padded = !pools;
  network.stem_pool = config.stem_pool;
  for (std::size_t stage = 0; stage < config.widths.size(); ++stage) {
    for (int i = 0; i < config.depths[stage]; ++i) {
      const std::string name = block_name(stage, i);
      const int stride = i == 0 ? config.strides[stage] : 1;
      FoldedBlock block;
      block.conv1 = folder.conv(name + ".conv1", name + ".bn1", stride);
      block.conv2 = folder.conv(name + ".conv2", name + ".bn2", 1);
      if (pools && stride != 1) {
        block.conv1.padded = false;
        block.shortcut = average_pool(block.conv1.in, block.conv1.out);
      } else if (stride != 1 || block.conv1.in != block.conv1.out) {
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
  fold_calibration(model.info.calibration, network.head_weight, network.head_bias);
  return network;
}

}  // namespace fer
