#include "learn/resident_views.h"

#include <torch/torch.h>

#include <algorithm>

namespace fer {

ResidentViews::ResidentViews(const SemiData& data, const ViewLook& look, torch::Device device,
                             const kernels::KernelTable* table)
    : look_(look), device_(device), table_(table) {
  std::int64_t count = 0;
  std::vector<const FaceRef*> faces;
  for (const auto* list : {&data.labelled, &data.unlabelled}) {
    for (const FaceRef& face : *list) {
      std::vector<std::int64_t>& places = places_[face.data];
      if (places.empty()) places.assign(face.data->size(), -1);
      if (places[face.row] >= 0) continue;
      places[face.row] = count++;
      faces.push_back(&face);
    }
  }
  const PackedInfo& info = data.info;
  torch::Tensor crops = torch::empty({count, info.channels, info.side, info.side}, torch::kByte);
  std::uint8_t* to = crops.data_ptr<std::uint8_t>();
  for (const FaceRef* face : faces) {
    const auto crop = face->crop();
    to = std::copy(crop.begin(), crop.end(), to);
  }
  crops_ = crops.to(device);
}

torch::Tensor ResidentViews::of(ViewKind kind, const std::vector<FaceRef>& faces,
                                const ViewDraw& draw) const {
  const auto count = static_cast<std::int64_t>(faces.size());
  const auto there = torch::TensorOptions().device(device_);
  torch::Tensor rows = torch::empty({count}, host_memory(device_).dtype(torch::kLong));
  for (std::size_t i = 0; i < faces.size(); ++i)
    rows.data_ptr<std::int64_t>()[i] = places_.at(faces[i].data).at(faces[i].row);
  rows = rows.to(device_, /*non_blocking=*/true);
  torch::Tensor images =
      torch::empty({count, crops_.size(1), crops_.size(2), crops_.size(3)}, there);
  kernels::Augment views = augment_into(images, kind, look_, draw);
  views.crops = crops_.data_ptr<std::uint8_t>();
  views.rows = rows.data_ptr<std::int64_t>();
  if (!table_) {
    kernels::augment(views);
    return images;
  }
  kernels::check(views);
  torch::Tensor workspace;
  launch_on(device_, *table_, "augment", [&] {
    if (const std::size_t bytes = table_->augment_workspace(views.channels, views.side)) {
      workspace = torch::empty({static_cast<std::int64_t>(bytes)}, there.dtype(torch::kByte));
      views.workspace = workspace.data_ptr();
    }
    return table_->augment(views, nullptr);
  });
  return images;
}

}  // namespace fer
