#include "learn/features/feature_maps.h"

#include <torch/torch.h>

#include <stdexcept>

#include "learn/features/fit_face_gate.h"
#include "model/safetensors.h"
#include "network/tensor_view.h"

namespace fer {
namespace {

constexpr auto kKinds = static_cast<std::int64_t>(std::size(kNonFaces));

}  // namespace

FeatureMaps::FeatureMaps(const PackedDataset& data) : data_(data), info_(feature_info(data)) {
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(data.name() + ": " + what);
  };
  const auto n = static_cast<std::int64_t>(data.size());
  const TensorView& maps = data.file().at("maps", DType::kBF16, 5);
  if (maps.shape !=
      std::vector<std::int64_t>{n, kFeatureViews, info_.side, info_.side, info_.channels})
    fail("maps: expected rows x " + std::to_string(kFeatureViews) +
         " views x side x side x channels");
  maps_ = tensor_of(maps).flatten(0, 1);
  if (info_.grid == 0) return;
  const TensorView& copies = data.file().at("non_faces", DType::kBF16, 3);
  if (copies.shape !=
      std::vector<std::int64_t>{
          n, kKinds, static_cast<std::int64_t>(info_.channels) * info_.grid * info_.grid})
    fail("non_faces: expected rows x " + std::to_string(kKinds) + " kinds x channels of each cell");
  non_faces_ = tensor_of(copies);
}

void FeatureMaps::require_same_network(const FeatureMaps& other) const {
  if (info_.network == other.info_.network && info_.blocks == other.info_.blocks) return;
  const auto text = [](const FeatureInfo& info) {
    return "model " + info.network + " above " + std::to_string(info.blocks) + " blocks";
  };
  throw std::runtime_error(other.data_.name() + ": expected features of " + text(info_) +
                           ", as in " + data_.name() + ", found those of " + text(other.info_));
}

void FeatureMaps::need(const torch::Tensor& stored, const std::vector<std::int64_t>& rows) const {
  const auto bytes = static_cast<std::size_t>(stored.stride(0)) * stored.element_size();
  const auto* begin = static_cast<const char*>(stored.data_ptr());
  for (const std::int64_t row : rows)
    data_.need(begin + static_cast<std::size_t>(row) * bytes, bytes);
}

torch::Tensor FeatureMaps::maps(const std::vector<std::size_t>& rows,
                                const std::vector<FeatureView>& views) const {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i)
    places.push_back(static_cast<std::int64_t>(rows[i]) * kFeatureViews +
                     static_cast<std::int64_t>(views[i]));
  need(maps_, places);
  return maps_.index_select(0, torch::tensor(places, torch::kLong)).permute({0, 3, 1, 2});
}

torch::Tensor FeatureMaps::plain(const std::vector<std::size_t>& rows) const {
  return maps(rows, std::vector<FeatureView>(rows.size(), FeatureView::kPlain));
}

torch::Tensor FeatureMaps::non_faces(const std::vector<std::size_t>& rows) const {
  std::vector<std::int64_t> places(rows.begin(), rows.end());
  if (!non_faces_.defined())
    throw std::runtime_error(data_.name() +
                             ": expected features of copies that are no faces; make them with: "
                             "fer pack --features --gate-grid 3");
  need(non_faces_, places);
  const torch::Tensor found =
      non_faces_.index_select(0, torch::tensor(places, torch::kLong)).to(torch::kFloat);
  if ((found.abs().amax({1, 2}) == 0).any().item<bool>())
    throw std::runtime_error(data_.name() +
                             ": a labelled row has no features of copies that are no faces");
  return found.transpose(0, 1);
}

}  // namespace fer
