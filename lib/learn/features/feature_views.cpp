#include "learn/features/feature_views.h"

#include <torch/torch.h>

#include "util/random.h"

namespace fer {
namespace {

/// Sets the draw of a view apart from that of its silent channels.
constexpr std::uint64_t kSilent = 0x73696c656e74u;

/// Calls `body(dataset, places, rows)` for the faces of each dataset, places being theirs in the
/// list.
template <typename Body>
void by_dataset(const std::vector<FaceRef>& faces, Body&& body) {
  std::map<const PackedDataset*, std::pair<std::vector<std::int64_t>, std::vector<std::size_t>>> of;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    auto& [places, rows] = of[faces[i].data];
    places.push_back(static_cast<std::int64_t>(i));
    rows.push_back(faces[i].row);
  }
  for (const auto& [data, found] : of) body(data, found.first, found.second);
}

}  // namespace

FeatureViews::FeatureViews(const std::vector<const PackedDataset*>& datasets, double drop)
    : drop_(drop) {
  for (const PackedDataset* data : datasets) {
    const auto [at, added] = maps_.try_emplace(data, *data);
    if (!first_) first_ = &at->second;
    if (added) first_->require_same_network(at->second);
  }
}

torch::Tensor FeatureViews::gathered(const std::vector<FaceRef>& faces,
                                     const std::vector<FeatureView>& views) const {
  const FeatureInfo& info = first_->info();
  torch::Tensor all =
      torch::empty({static_cast<std::int64_t>(faces.size()), info.side, info.side, info.channels},
                   torch::kBFloat16)
          .permute({0, 3, 1, 2});
  by_dataset(faces, [&](const PackedDataset* data, const std::vector<std::int64_t>& places,
                        const std::vector<std::size_t>& rows) {
    std::vector<FeatureView> wanted;
    for (const std::int64_t place : places)
      wanted.push_back(views[static_cast<std::size_t>(place)]);
    all.index_copy_(0, torch::tensor(places, torch::kLong), maps_.at(data).maps(rows, wanted));
  });
  return all;
}

torch::Tensor FeatureViews::of(ViewKind kind, const std::vector<FaceRef>& faces,
                               const ViewSeed& draw) const {
  std::vector<FeatureView> views;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    Random random(draw.seed, draw.stream, draw.position + i);
    views.push_back(static_cast<FeatureView>(random.below(kFeatureViews)));
  }
  torch::Tensor maps = gathered(faces, views);
  if (kind != ViewKind::kStrong || drop_ <= 0) return maps;
  const std::int64_t channels = maps.size(1);
  torch::Tensor kept = torch::empty({maps.size(0), channels, 1, 1});
  float* scale = kept.data_ptr<float>();
  for (std::size_t i = 0; i < faces.size(); ++i) {
    Random random(draw.seed ^ kSilent, draw.stream, draw.position + i);
    for (std::int64_t c = 0; c < channels; ++c)
      *scale++ = random.chance(drop_) ? 0.f : static_cast<float>(1 / (1 - drop_));
  }
  return maps * kept.to(maps.scalar_type());
}

torch::Tensor FeatureViews::plain(const std::vector<FaceRef>& faces) const {
  return gathered(faces, std::vector<FeatureView>(faces.size(), FeatureView::kPlain));
}

torch::Tensor FeatureViews::non_faces(const std::vector<FaceRef>& faces) const {
  torch::Tensor all;
  by_dataset(faces, [&](const PackedDataset* data, const std::vector<std::int64_t>& places,
                        const std::vector<std::size_t>& rows) {
    const torch::Tensor found = maps_.at(data).non_faces(rows);
    if (!all.defined())
      all = torch::empty({found.size(0), static_cast<std::int64_t>(faces.size()), found.size(2)});
    all.index_copy_(1, torch::tensor(places, torch::kLong), found);
  });
  return all;
}

}  // namespace fer
