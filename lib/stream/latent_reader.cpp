#include "stream/latent_reader.h"

#include <torch/torch.h>

#include "learn/data/batches.h"
#include "stream/latent_codec.h"

namespace fer {

SeenFaces see_faces(AdaptedNetworks& networks, const ModelInfo& model,
                    const CropViews::Crops& crops, bool with_bytes) {
  torch::NoGradGuard no_grad;
  const NetworkConfig& n = model.network;
  const torch::Tensor images =
      plain_images(crops, n.channels, n.input_size, {model.mean, model.stddev});
  SeenFaces seen;
  seen.activations = networks.trunk(images.contiguous(torch::MemoryFormat::ChannelsLast));
  seen.features = networks.source_features(seen.activations).contiguous();
  seen.latents.resize(crops.size());
  const std::int64_t width = seen.features.size(1);
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const float* row = seen.features.data_ptr<float>() + static_cast<std::int64_t>(i) * width;
    seen.latents[i].features.assign(row, row + width);
  }
  if (!with_bytes) return seen;
  auto [bytes, scales] = encode_latents(seen.activations);
  // In the order C x S x S, whatever the activations' memory format.
  bytes = bytes.to(torch::kCPU).contiguous(torch::MemoryFormat::Contiguous);
  scales = scales.to(torch::kCPU, torch::kFloat).contiguous();
  const std::int64_t size = bytes.numel() / bytes.size(0);
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const std::uint8_t* from = bytes.data_ptr<std::uint8_t>() + static_cast<std::int64_t>(i) * size;
    seen.latents[i].bytes.assign(from, from + size);
    seen.latents[i].scale = scales.data_ptr<float>()[i];
  }
  return seen;
}

}  // namespace fer
