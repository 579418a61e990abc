// A network as it is served: batch norm folded into the convolutions, nothing of LibTorch left.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "export.h"

namespace fer {

struct StoredModel;

/// A convolution with bias. `weight` is out x in/groups x kernel x kernel. Padded, a stride of 1
/// keeps the side.
struct FoldedConv {
  int in = 0, out = 0, kernel = 1, stride = 1, groups = 1;
  std::vector<float> weight, bias;
  bool padded = true;

  int pad() const { return padded ? kernel / 2 : 0; }
  /// Side of the maps that it makes of maps of `side` pixels.
  int side_after(int side) const { return (side + 2 * pad() - kernel) / stride + 1; }
};

struct FoldedBlock {
  FoldedConv conv1, conv2;
  /// None: the identity. Its maps may have one row and one column more than those of conv2
  /// (Downsampling::kPooling): the sum there is the shortcut alone.
  std::optional<FoldedConv> shortcut;
};

/// Local attention (see LocalAttentionImpl): C → branches · C/r, then grouped → branches.
struct FoldedAttention {
  FoldedConv reduce, score;
};

struct FoldedNetwork {
  int side = 0, channels = 0;      ///< Of the input.
  std::array<float, 256> input{};  ///< Normalised value of each pixel value.
  FoldedConv stem;
  bool stem_pool = false;  ///< 3x3 max-pooling of stride 2 after the stem, padded as the stem.
  std::vector<FoldedBlock> blocks;
  std::optional<FoldedAttention> attention;
  int width = 0, classes = 0;                 ///< Of the head.
  std::vector<float> head_weight, head_bias;  ///< classes x width, classes.
};

/// Folds a model, batch norm into the convolutions and the calibration into the head. Throws
/// std::runtime_error that names the tensor, where one is missing or has another shape than the
/// model's config says.
FER_API FoldedNetwork fold(const StoredModel& model);

}  // namespace fer
