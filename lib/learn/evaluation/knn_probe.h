// How much features tell of labels that they were not trained on: a k-nearest-neighbour probe.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "learn/evaluation/metrics.h"

namespace fer {

/// Predicts each row from its `k` nearest other rows by cosine, each of which votes for its own
/// label with weight exp(cosine / 0.07) (Wu et al. 2018); of classes with as many votes the first.
/// With `balanced` votes count by the rarity of their class, so that frequent ones do not win by
/// their number.
/// `features`: N x C, fp32; `labels`: one a row, an index into `names`.
Confusion knn_probe(const torch::Tensor& features, const std::vector<int>& labels,
                    const std::vector<std::string>& names, int k, bool balanced);

}  // namespace fer
