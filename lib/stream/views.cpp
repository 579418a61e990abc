#include "stream/views.h"

#include <torch/torch.h>

#include "learn/augment.h"
#include "learn/rand_augment.h"
#include "learn/semi_trainer.h"

namespace fer {
namespace {

template <typename View>
torch::Tensor views(const std::vector<std::span<const std::uint8_t>>& crops, const ModelInfo& model,
                    Random random, const View& view) {
  const NetworkConfig& n = model.network;
  torch::Tensor images = torch::empty(
      {static_cast<std::int64_t>(crops.size()), n.channels, n.input_size, n.input_size});
  float* to = images.data_ptr<float>();
  for (const auto& crop : crops) {
    view(crop, Random(random()), std::span<float>(to, crop.size()));
    to += crop.size();
  }
  return images.sub_(model.mean).div_(model.stddev).contiguous(torch::MemoryFormat::ChannelsLast);
}

}  // namespace

torch::Tensor weak_views(const std::vector<std::span<const std::uint8_t>>& crops,
                         const ModelInfo& model, Random random) {
  const AugmentConfig weak = weak_augment();
  return views(crops, model, random, [&](auto crop, Random own, std::span<float> out) {
    augment(crop, model.network.channels, model.network.input_size, weak, own, out);
  });
}

torch::Tensor strong_views(const std::vector<std::span<const std::uint8_t>>& crops,
                           const ModelInfo& model, Random random, double strength) {
  RandAugmentConfig strong;
  strong.shift *= strength;
  strong.strength *= strength;
  strong.cutout *= strength;
  return views(crops, model, random, [&](auto crop, Random own, std::span<float> out) {
    rand_augment(crop, model.network.channels, model.network.input_size, strong, own, out);
  });
}

}  // namespace fer
