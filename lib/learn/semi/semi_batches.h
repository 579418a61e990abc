// Batches of labelled and unlabelled views, made ahead of the trainer on threads of their own.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "learn/data/face_views.h"
#include "learn/data/prefetcher.h"
#include "learn/data/semi_data.h"
#include "learn/data/shuffled_sampler.h"
#include "learn/distributed/batch_part.h"

namespace fer {

/// One step's faces, their views as FaceViews gives them.
struct SemiBatch {
  torch::Tensor labelled;  ///< Weak views, B rows, classes in turn.
  torch::Tensor targets;   ///< B x K, rows sum to 1, fp32.
  torch::Tensor labels;    ///< B, int64.
  /// μ·B unlabelled rows, undefined where μ is 0: so many weak views one after the other, of all
  /// rows each, and one strong view.
  torch::Tensor weak, strong;
  torch::Tensor truth;  ///< μ·B, int64: their labels, -1 where not known.

  /// The same there. Does not wait for the copy.
  SemiBatch to(torch::Device device) const;
};

struct SemiBatchConfig {
  int batch = 32;  ///< Labelled rows a step.
  int mu = 2;      ///< Unlabelled rows for each of them; 0: none.
  int weak_views = 1;
  std::uint64_t seed = 1;
  BatchPart part = {};  ///< The labelled and the unlabelled rows of each batch that are made.
  torch::Device device = torch::kCPU;  ///< Where they will be wanted; they are made in memory.
};

/// The batches of a run, one a step. Which rows, and which view of each, follow from the seed and
/// the step alone: whoever starts at a later step sees what the run would have seen there.
///
/// Labelled rows are drawn class by class in turn, each class in an order of its own that is
/// shuffled anew when it has been gone through; unlabelled rows likewise as one set.
class SemiBatches {
 public:
  /// `data` and `views` must outlive it.
  SemiBatches(const SemiData& data, const FaceViews& views, const SemiBatchConfig& config,
              std::int64_t first_step);

  SemiBatch next();

 private:
  /// Which faces a step sees, by their indices.
  struct Draw {
    std::int64_t step = 0;
    std::vector<std::size_t> labelled, unlabelled;
  };
  Draw draw(std::int64_t step);
  SemiBatch make(const Draw& drawn) const;
  /// A row's place among all that are drawn of its kind: its view follows from it, not from who
  /// makes it. `rows`: of the kind, a step.
  std::uint64_t place(std::int64_t step, int rows, int i) const;

  const SemiData& data_;
  const FaceViews& views_;
  const SemiBatchConfig config_;
  std::vector<std::vector<std::size_t>>
      of_class_;  ///< Labelled faces, classes without any left out.
  std::vector<ShuffledSampler> class_samplers_;
  ShuffledSampler unlabelled_sampler_;
  std::int64_t step_;
  Prefetcher<SemiBatch> prefetcher_;
};

}  // namespace fer
