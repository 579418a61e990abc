// Batches of labelled and unlabelled views, prefetched on threads of their own.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "learn/data/face_views.h"
#include "learn/data/prefetcher.h"
#include "learn/data/shuffled_sampler.h"
#include "learn/data/ssl_data.h"
#include "learn/distributed/batch_part.h"

namespace fer {

/// The views that one step learns from.
struct SslBatch {
  torch::Tensor labelled;  ///< Weak views, B rows, classes in turn.
  torch::Tensor targets;   ///< B x K, rows sum to 1, fp32.
  torch::Tensor labels;    ///< B, int64.
  /// Views of μ·B unlabelled rows; undefined where μ is 0. `weak` holds weak_views views of all
  /// rows, one set after the other; `strong` holds one view of each row.
  torch::Tensor weak, strong;
  torch::Tensor truth;  ///< μ·B, int64: labels of the unlabelled rows; -1: not known.

  /// A copy on the device. Returns before the copy is done.
  SslBatch to(torch::Device device) const;
};

struct SslBatchConfig {
  int batch = 32;  ///< Labelled rows a step.
  int mu = 2;      ///< Unlabelled rows for each of them; 0: none.
  int weak_views = 1;
  std::uint64_t seed = 1;
  BatchPart part = {};                 ///< The rows of each batch that this process makes.
  torch::Device device = torch::kCPU;  ///< Where the trainer will copy them.
};

/// The batches of a run, one for each step. Seed and step decide which rows a batch has and how
/// they are augmented, so that a resumed run gets the batches that it would have got.
///
/// Labelled rows are balanced: classes take turns, and each class has a ShuffledSampler of its own.
/// The unlabelled rows share one.
class SslBatches {
 public:
  /// `data` and `views` must outlive this. `first_step`: the step of the first next().
  SslBatches(const SslData& data, const FaceViews& views, const SslBatchConfig& config,
             std::int64_t first_step);

  SslBatch next();

 private:
  /// Indices of a step's faces.
  struct Draw {
    std::int64_t step = 0;
    std::vector<std::size_t> labelled, unlabelled;
  };
  Draw draw(std::int64_t step);
  SslBatch make(const Draw& drawn) const;
  /// Position of row `i` among all rows of its kind in the whole run, with `rows` of them in each
  /// step. The random view follows from it, whichever process makes it.
  std::uint64_t place(std::int64_t step, int rows, int i) const;

  const SslData& data_;
  const FaceViews& views_;
  const SslBatchConfig config_;
  std::vector<std::vector<std::size_t>>
      of_class_;  ///< Labelled faces, classes without any left out.
  std::vector<ShuffledSampler> class_samplers_;
  ShuffledSampler unlabelled_sampler_;
  std::int64_t step_;
  Prefetcher<SslBatch> prefetcher_;
};

}  // namespace fer
