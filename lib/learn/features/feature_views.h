// Views of faces as a frozen network sees them, drawn from the maps that stand in datasets' files.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "export.h"
#include "learn/data/face_views.h"
#include "learn/features/feature_maps.h"

namespace fer {

/// The weak view of a face is its map or that of its mirror image. The strong one is such a map, of
/// which whole channels are silent and the others scaled up (dropout of channels: Tompson et al.
/// 2015): what a network sees of a face must not hang on few of them.
class FER_API FeatureViews : public FaceViews {
 public:
  /// `datasets` must outlive it. `drop`: probability that a channel of a strong view is silent.
  /// Throws what FeatureMaps throws, and std::runtime_error where the datasets' maps are of
  /// different networks.
  FeatureViews(const std::vector<const PackedDataset*>& datasets, double drop);

  const FeatureInfo& info() const { return first_->info(); }

  torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                   const ViewSeed& draw) const override;
  torch::Tensor plain(const std::vector<FaceRef>& faces) const override;
  /// Pooled maps of the faces' copies that are no faces: kinds x N x D.
  torch::Tensor non_faces(const std::vector<FaceRef>& faces) const;

 private:
  /// The maps of faces of several datasets, in their order.
  torch::Tensor gathered(const std::vector<FaceRef>& faces,
                         const std::vector<FeatureView>& views) const;

  const double drop_;
  std::map<const PackedDataset*, FeatureMaps> maps_;
  const FeatureMaps* first_ = nullptr;
};

}  // namespace fer
