#include "stream/mirror_agreement.h"

#include <torch/torch.h>

#include "learn/data/batches.h"
#include "stream/crop_views.h"

namespace fer {
namespace {

constexpr std::size_t kMaxFaces = 128;

}  // namespace

MirrorAgreement::MirrorAgreement(const SampleMemory& memory, const ModelInfo& model,
                                 AdaptedNetworks& networks)
    : split_point_(static_cast<std::size_t>(networks.split_point())) {
  CropViews::Crops crops;
  for (auto item = memory.items().rbegin(); item != memory.items().rend(); ++item) {
    if (crops.size() == kMaxFaces) break;
    if (!item->evidence.crops.empty()) crops.emplace_back(item->evidence.crops.front());
  }
  if (crops.empty()) return;
  const torch::Tensor images = plain_images(crops, model.network.channels, model.network.input_size,
                                            {model.mean, model.stddev});
  const auto seen = [&](const torch::Tensor& pictures) {
    return networks.trunk(pictures.contiguous(torch::MemoryFormat::ChannelsLast));
  };
  faces_ = seen(images);
  mirrored_ = seen(images.flip(3));
}

double MirrorAgreement::of(Network& network) const {
  if (!faces_.defined()) return 1;
  torch::NoGradGuard no_grad;
  const torch::Tensor same = network->head_blocks(faces_, split_point_).argmax(1) ==
                             network->head_blocks(mirrored_, split_point_).argmax(1);
  return same.to(torch::kFloat).mean().item<double>();
}

}  // namespace fer
