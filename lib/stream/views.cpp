#include "stream/views.h"

#include <torch/torch.h>

#include "learn/augment.h"
#include "learn/batches.h"
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
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const std::span<float> out = image_at(images, static_cast<std::int64_t>(i));
    view(crops[i], Random(random()), out);
    normalise(out, {model.mean, model.stddev});
  }
  return images.contiguous(torch::MemoryFormat::ChannelsLast);
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
