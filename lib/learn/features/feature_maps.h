// The maps of a frozen network that stand in a dataset's file, as tensors.
#pragma once

#include <torch/types.h>

#include <vector>

#include "export.h"
#include "learn/features/feature_file.h"

namespace fer {

/// Views of each face that a file holds, in this order.
enum class FeatureView { kPlain, kMirrored };
inline constexpr int kFeatureViews = 2;

/// The maps of a dataset that write_features() wrote. Thread-safe. What is read throws what
/// PackedDataset::need() throws, besides.
class FER_API FeatureMaps {
 public:
  /// `data` must outlive it. Throws std::runtime_error: file, what was expected, what was found.
  explicit FeatureMaps(const PackedDataset& data);

  const FeatureInfo& info() const { return info_; }
  /// Throws std::runtime_error, both files named, where `other` holds maps of another network.
  void require_same_network(const FeatureMaps& other) const;

  /// The maps of rows, each in its view: N x C x S x S, bfloat16.
  torch::Tensor maps(const std::vector<std::size_t>& rows,
                     const std::vector<FeatureView>& views) const;
  torch::Tensor plain(const std::vector<std::size_t>& rows) const;
  /// Pooled maps of rows' copies that are no faces: kinds x N x D, fp32. Throws std::runtime_error
  /// where the file has none of such a row.
  torch::Tensor non_faces(const std::vector<std::size_t>& rows) const;

 private:
  /// Before these rows of a tensor in the file are read.
  void need(const torch::Tensor& stored, const std::vector<std::int64_t>& rows) const;

  const PackedDataset& data_;
  FeatureInfo info_;
  torch::Tensor maps_;       ///< N·2 x S x S x C, in the file.
  torch::Tensor non_faces_;  ///< N x kinds x D, in the file; undefined: none.
};

}  // namespace fer
