#include "stream/views.h"

#include <torch/torch.h>

#include "learn/batches.h"
#include "learn/rand_augment.h"

namespace fer {
namespace {

torch::Tensor views(const std::vector<std::span<const std::uint8_t>>& crops, const ModelInfo& model,
                    Random random, const RandAugmentConfig& view) {
  const NetworkConfig& n = model.network;
  torch::Tensor images = torch::empty(
      {static_cast<std::int64_t>(crops.size()), n.channels, n.input_size, n.input_size});
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const std::span<float> out = image_at(images, static_cast<std::int64_t>(i));
    rand_augment(crops[i], n.channels, n.input_size, view, Random(random()), out);
    normalise(out, {model.mean, model.stddev});
  }
  return images.contiguous(torch::MemoryFormat::ChannelsLast);
}

}  // namespace

torch::Tensor weak_views(const std::vector<std::span<const std::uint8_t>>& crops,
                         const ModelInfo& model, Random random) {
  return views(crops, model, random, kWeakView);
}

torch::Tensor strong_views(const std::vector<std::span<const std::uint8_t>>& crops,
                           const ModelInfo& model, Random random, double strength) {
  RandAugmentConfig strong;
  strong.shift *= strength;
  strong.strength *= strength;
  strong.cutout *= strength;
  return views(crops, model, random, strong);
}

}  // namespace fer
