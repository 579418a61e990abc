#include "learn/data/resident_faces.h"

#include <torch/torch.h>

#include <algorithm>

#include "learn/device/compute_device.h"

namespace fer {

ResidentFaces::ResidentFaces(const std::vector<const std::vector<FaceRef>*>& lists,
                             torch::Device device)
    : device_(device) {
  std::vector<const FaceRef*> faces;
  for (const auto* list : lists) {
    for (const FaceRef& face : *list) {
      std::vector<std::int64_t>& places = places_[face.data];
      if (places.empty()) places.assign(face.data->size(), -1);
      if (places[face.row] >= 0) continue;
      places[face.row] = static_cast<std::int64_t>(faces.size());
      faces.push_back(&face);
    }
  }
  const PackedInfo& info = faces.at(0)->data->info();
  torch::Tensor crops = torch::empty({static_cast<std::int64_t>(faces.size()), info.crops.channels,
                                      info.crops.side, info.crops.side},
                                     torch::kByte);
  std::uint8_t* to = crops.data_ptr<std::uint8_t>();
  for (const FaceRef* face : faces) {
    const auto crop = face->crop();
    to = std::copy(crop.begin(), crop.end(), to);
  }
  crops_ = crops.to(device);
}

torch::Tensor ResidentFaces::rows(const std::vector<FaceRef>& faces) const {
  std::vector<std::int64_t> rows;
  rows.reserve(faces.size());
  for (const FaceRef& face : faces) rows.push_back(places_.at(face.data).at(face.row));
  return numbers_on(device_, rows);
}

}  // namespace fer
