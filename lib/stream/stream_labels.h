// Labelled faces of the stream itself.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "learn/run/checkpoint.h"
#include "stream/face_latents.h"
#include "stream/label_head.h"

namespace fer {

/// A few faces of this stream whose expression somebody named, as the frozen networks see them.
class StreamLabels {
 public:
  /// `latents`: both parts. `label`: index among the model's classes. Where the set is full, the
  /// oldest face of that class goes; of a class without faces, the oldest of all.
  void add(FaceLatents latents, int label);

  bool empty() const { return faces_.empty(); }
  std::size_t size() const { return faces_.size(); }
  void clear() { faces_.clear(); }
  /// Calls `look(latents, label)` for each face, oldest first.
  template <typename Look>
  void each(const Look& look) const {
    for (const Face& face : faces_) look(face.latents, face.label);
  }

  /// For the head: N x D with their labels. N > 0.
  LabelledFeatures features() const;
  /// For the networks above the split point: N x `shape`, which is C x S x S, fp32. N > 0.
  torch::Tensor activations(const std::vector<std::int64_t>& shape) const;
  torch::Tensor labels() const;  ///< N, int64.

  /// Adds the set to a checkpoint.
  void save(Checkpoint& kept) const;
  /// What save() kept; empty where that has none. Throws std::runtime_error where it does not fit:
  /// `features` and `bytes` a face, labels below `classes`.
  static StreamLabels restored(const Checkpoint& kept, std::int64_t features, std::int64_t bytes,
                               int classes);

 private:
  static constexpr std::size_t kCapacity = 512;
  struct Face {
    FaceLatents latents;
    int label = 0;
  };
  std::vector<Face> faces_;  ///< Oldest first.
};

}  // namespace fer
