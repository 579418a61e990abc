// Batches of labelled and unlabelled views, made ahead of the trainer on a thread of their own.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <future>
#include <vector>

#include "learn/batch_part.h"
#include "learn/face_views.h"
#include "learn/semi_data.h"
#include "learn/walk.h"

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
};

struct SemiBatchConfig {
  int batch = 32;  ///< Labelled rows a step.
  int mu = 2;      ///< Unlabelled rows for each of them; 0: none.
  int weak_views = 1;
  std::uint64_t seed = 1;
  BatchPart part = {};  ///< The labelled and the unlabelled rows of each batch that are made.
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
  ~SemiBatches();

  SemiBatch next();

 private:
  SemiBatch make(std::int64_t step);

  const SemiData& data_;
  const FaceViews& views_;
  const SemiBatchConfig config_;
  std::vector<std::vector<std::size_t>>
      of_class_;  ///< Labelled faces, classes without any left out.
  std::vector<Walk> class_walks_;
  Walk unlabelled_walk_;
  std::int64_t step_;
  std::future<SemiBatch> ahead_;  ///< Whoever makes it owns the walks until it is done.
};

}  // namespace fer
