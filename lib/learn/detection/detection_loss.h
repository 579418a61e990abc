// The face detector's losses.
#pragma once

#include <torch/types.h>

#include <vector>

#include "export.h"

namespace fer {

struct DetectionLossWeights {
  double score = 1, box = 2, points = 1;
};

/// Means over the cells that look for a face, in fp32; `total` is the weighted sum. All may be
/// differentiated but `iou`, the boxes' mean overlap with their targets.
struct DetectionLoss {
  torch::Tensor total, score, box, points, iou;
};

/// `maps`: what the network says (DetectorNetImpl::forward). `targets`: N x cells x kTargetValues
/// (detection_targets.h), of the same input size.
///
/// Scores: quality focal loss (Li et al. 2020, "Generalized Focal Loss"), |y - p|² times the cross
/// entropy, where y is the box's overlap with its target times the teacher's score; 0 for no face.
/// Boxes: 1 - DIoU (Zheng et al. 2020). Landmarks: smooth L1 of the error over the box's size.
FER_API DetectionLoss detection_loss(const std::vector<torch::Tensor>& maps,
                                     const torch::Tensor& targets,
                                     const DetectionLossWeights& weights);

}  // namespace fer
