#include "learn/detection/detection_loss.h"

#include <torch/torch.h>

#include "learn/detection/detection_targets.h"
#include "vision/detection_grid.h"

namespace fer {
namespace {

/// Where smooth L1 changes from quadratic to linear, as a share of the box's size.
constexpr double kPointsBend = 0.05;
constexpr double kTiny = 1e-7;

/// The cells of all maps as one list, with their positions.
struct Cells {
  torch::Tensor values;   ///< N x cells x kCellValues.
  torch::Tensor corners;  ///< cells x 2: the cell's column and row …
  torch::Tensor strides;  ///< … and its stride, cells x 1.
};

Cells cells_of(const std::vector<torch::Tensor>& maps) {
  std::vector<torch::Tensor> values, corners, strides;
  for (std::size_t level = 0; level < maps.size(); ++level) {
    const torch::Tensor& map = maps[level];
    const auto rows = map.size(2), columns = map.size(3);
    values.push_back(map.flatten(2).permute({0, 2, 1}));
    const torch::Tensor row = torch::arange(rows).view({rows, 1}).expand({rows, columns});
    const torch::Tensor column = torch::arange(columns).view({1, columns}).expand({rows, columns});
    corners.push_back(torch::stack({column, row}, 2).view({rows * columns, 2}));
    strides.push_back(torch::full({rows * columns, 1}, static_cast<float>(kCellStrides[level])));
  }
  const auto device = maps.at(0).device();
  return {torch::cat(values, 1), torch::cat(corners).to(torch::kFloat).to(device),
          torch::cat(strides).to(device)};
}

/// IoU and DIoU of boxes given as centre and size, n x 4 each.
std::pair<torch::Tensor, torch::Tensor> overlaps(const torch::Tensor& a, const torch::Tensor& b) {
  const auto low = [](const torch::Tensor& box) {
    return box.slice(1, 0, 2) - box.slice(1, 2, 4) / 2;
  };
  const auto high = [](const torch::Tensor& box) {
    return box.slice(1, 0, 2) + box.slice(1, 2, 4) / 2;
  };
  const torch::Tensor shared =
      (torch::min(high(a), high(b)) - torch::max(low(a), low(b))).clamp_min(0).prod(1);
  const torch::Tensor all = a.slice(1, 2, 4).prod(1) + b.slice(1, 2, 4).prod(1) - shared;
  const torch::Tensor iou = shared / (all + kTiny);
  const torch::Tensor around = torch::max(high(a), high(b)) - torch::min(low(a), low(b));
  const torch::Tensor apart = (a.slice(1, 0, 2) - b.slice(1, 0, 2)).pow(2).sum(1);
  return {iou, iou - apart / (around.pow(2).sum(1) + kTiny)};
}

}  // namespace

DetectionLoss detection_loss(const std::vector<torch::Tensor>& maps, const torch::Tensor& targets,
                             const DetectionLossWeights& weights) {
  const Cells cells = cells_of(maps);
  const auto n = cells.values.size(0), count = cells.values.size(1);
  TORCH_CHECK(targets.size(0) == n && targets.size(1) == count && targets.size(2) == kTargetValues,
              "detection_loss: the targets do not fit the maps");
  const torch::Tensor values = cells.values.reshape({n * count, kCellValues});
  const torch::Tensor wanted = targets.reshape({n * count, kTargetValues});
  const torch::Tensor teacher = wanted.select(1, kTargetScore);
  const torch::Tensor faces =
      ((teacher > 0) & (wanted.select(1, kTargetWeight) > 0)).nonzero().squeeze(1);
  const double scale = 1.0 / static_cast<double>(std::max<std::int64_t>(1, faces.size(0)));

  const torch::Tensor said = values.index_select(0, faces);
  const torch::Tensor aim = wanted.index_select(0, faces);
  const torch::Tensor place = faces.remainder(count);
  const torch::Tensor corner = cells.corners.index_select(0, place);
  const torch::Tensor stride = cells.strides.index_select(0, place);
  const torch::Tensor centre = (corner + said.slice(1, 1, 3)) * stride;
  const torch::Tensor size = said.slice(1, 3, 5).clamp_max(kLargestLogSize).exp() * stride;
  const torch::Tensor box = aim.slice(1, kTargetBox, kTargetPoints);
  const auto [iou, diou] = overlaps(torch::cat({centre, size}, 1), box);

  // A doubtful face teaches less about boxes too.
  const torch::Tensor trust = aim.select(1, kTargetScore);
  DetectionLoss loss;
  loss.box = ((1 - diou) * trust).sum() * scale;
  loss.iou = iou.detach().sum() * scale;

  torch::Tensor quality = torch::zeros_like(teacher);
  if (faces.size(0) > 0) quality.index_copy_(0, faces, iou.detach().clamp(0, 1) * trust);
  const torch::Tensor logits = values.select(1, 0);
  const torch::Tensor focus = (quality - torch::sigmoid(logits)).pow(2);
  const torch::Tensor entropy =
      torch::binary_cross_entropy_with_logits(logits, quality, {}, {}, at::Reduction::None);
  loss.score = (focus * entropy * wanted.select(1, kTargetWeight)).sum() * scale;

  const auto k = static_cast<std::int64_t>(kCellPoints);
  const torch::Tensor points =
      (corner.unsqueeze(1) + said.slice(1, 5).view({-1, k, 2})) * stride.unsqueeze(1);
  const torch::Tensor face_size = box.slice(1, 2, 4).prod(1).clamp_min(1).sqrt().view({-1, 1, 1});
  const torch::Tensor error =
      (points - aim.slice(1, kTargetPoints, kTargetVisible).view({-1, k, 2})) / face_size;
  const torch::Tensor bent =
      torch::smooth_l1_loss(error, torch::zeros_like(error), at::Reduction::None, kPointsBend);
  const torch::Tensor counts = aim.slice(1, kTargetVisible).unsqueeze(2) * trust.view({-1, 1, 1});
  loss.points = (bent * counts).sum() * (scale / static_cast<double>(k));
  loss.total = weights.score * loss.score + weights.box * loss.box + weights.points * loss.points;
  return loss;
}

}  // namespace fer
