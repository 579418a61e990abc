#include "stream/crop_views.h"

#include <torch/torch.h>

#include <algorithm>

#include "learn/device/compute_device.h"

namespace fer {

CropViews::CropViews(const ModelInfo& model, torch::Device device)
    : channels_(model.network.channels),
      side_(model.network.input_size),
      stats_{model.mean, model.stddev},
      device_(device),
      table_(kernels_for(device)) {}

torch::Tensor CropViews::weak(const Crops& crops, Random random) const {
  return made(crops, random, ViewKind::kWeak, {.stats = stats_});
}

torch::Tensor CropViews::strong(const Crops& crops, Random random, double strength) const {
  ViewSettings look{.stats = stats_};
  look.strong.shift *= strength;
  look.strong.strength *= strength;
  look.strong.cutout *= strength;
  return made(crops, random, ViewKind::kStrong, look);
}

torch::Tensor CropViews::made(const Crops& crops, Random random, ViewKind kind,
                              const ViewSettings& look) const {
  const torch::Device where = table_ ? device_ : torch::Device(torch::kCPU);
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(crops.size()), channels_, side_,
                                        side_};
  torch::Tensor bytes = torch::empty(shape, host_memory(where).dtype(torch::kByte));
  std::uint8_t* to = bytes.data_ptr<std::uint8_t>();
  for (const auto& crop : crops) to = std::copy(crop.begin(), crop.end(), to);
  bytes = bytes.to(where, /*non_blocking=*/true);
  torch::Tensor images = torch::empty(shape, torch::TensorOptions().device(where));
  kernels::Augment views = augment_into(images, kind, look, {.seed = random()});
  views.crops = bytes.data_ptr<std::uint8_t>();
  make_views(views, where, table_);
  return images.to(device_).contiguous(torch::MemoryFormat::ChannelsLast);
}

}  // namespace fer
