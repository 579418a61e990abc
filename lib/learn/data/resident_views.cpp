#include "learn/data/resident_views.h"

#include <torch/torch.h>

namespace fer {

ResidentViews::ResidentViews(const SslData& data, const ViewSettings& look, torch::Device device,
                             const kernels::KernelTable* table)
    : look_(look),
      device_(device),
      table_(table),
      faces_({&data.labelled, &data.unlabelled}, device) {}

torch::Tensor ResidentViews::of(ViewKind kind, const std::vector<FaceRef>& faces,
                                const ViewSeed& draw) const {
  const auto count = static_cast<std::int64_t>(faces.size());
  const auto there = torch::TensorOptions().device(device_);
  const torch::Tensor rows = faces_.rows(faces);
  const torch::Tensor& crops = faces_.crops();
  torch::Tensor images = torch::empty({count, crops.size(1), crops.size(2), crops.size(3)}, there);
  kernels::Augment views = augment_into(images, kind, look_, draw);
  views.crops = crops.data_ptr<std::uint8_t>();
  views.rows = rows.data_ptr<std::int64_t>();
  make_views(views, device_, table_);
  return images;
}

}  // namespace fer
