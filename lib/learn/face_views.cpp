#include "learn/face_views.h"

namespace fer {

torch::Tensor FreshViews::of(ViewKind kind, const std::vector<FaceRef>& faces,
                             const std::vector<Random>& randoms) const {
  const PackedInfo& info = faces.front().data->info();
  torch::Tensor images = torch::empty(
      {static_cast<std::int64_t>(faces.size()), info.channels, info.side, info.side}, memory_);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const auto crop = faces[i].crop();
    const std::span<float> out = image_at(images, static_cast<std::int64_t>(i));
    if (kind == ViewKind::kStrong)
      rand_augment(crop, info.channels, info.side, strong_, randoms[i], out);
    else
      augment(crop, info.channels, info.side, weak_, randoms[i], out);
    normalise(out, stats_);
  }
  return images;
}

}  // namespace fer
