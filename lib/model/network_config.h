// The shape of a network, as its model file records it.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "export.h"

namespace fer {

/// How a residual block with a stride makes its maps smaller.
enum class Downsampling {
  /// Padded convolutions; the shortcut is a 1x1 convolution with batch norm (He et al. 2016).
  kProjection,
  /// Unpadded convolutions, as in dlib's face network: the shortcut is a 2x2 average pool. The sum
  /// has the larger of both shapes, with zeros for missing channels and border rows. The stem and
  /// its pool take no padding either.
  kPooling,
};

/// A residual network with local attention (FerNet) or without (resnet18, facenet).
///
/// Input: N x channels x input_size x input_size. A stem convolution, then stages of basic residual
/// blocks (He et al. 2016), each stage halving the side, then local attention, global average
/// pooling, dropout and one linear head.
struct NetworkConfig {
  std::string name = "fernet";           ///< For people; nothing hangs on it.
  int input_size = 48;                   ///< Side of the input in pixels.
  int channels = 1;                      ///< 1: grey, 3: RGB.
  int stem_width = 32;                   ///< Channels after the stem.
  int stem_kernel = 3;                   ///< Side of the stem's kernel.
  int stem_stride = 1;                   ///< Of the stem's convolution.
  bool stem_pool = false;                ///< 3x3 max-pooling of stride 2 after the stem.
  std::vector<int> widths{48, 96, 160};  ///< Channels of each stage.
  std::vector<int> depths{1, 2, 2};      ///< Blocks of each stage.
  std::vector<int> strides{2, 2, 2};     ///< Stride of each stage's first block.
  Downsampling downsampling = Downsampling::kProjection;  ///< In blocks with a stride.
  int attention_branches = 2;                             ///< Branches of local attention; 0: none.
  int attention_reduction = 8;  ///< C → C/reduction → 1 in each branch.
  double drop_branch = 0.4;     ///< Probability that a training step silences one branch a sample.
  double drop_feature = 0.0;    ///< Probability that a training step silences a feature map.
  double dropout = 0.2;         ///< Before the head.
  int classes = 8;              ///< Outputs of the head.

  /// Throws std::runtime_error that names the field and its range, where a value makes no network.
  FER_API void check() const;
};

/// Bytes of one crop that the network takes: channels x side x side.
inline std::size_t crop_bytes(const NetworkConfig& config) {
  return static_cast<std::size_t>(config.channels) * static_cast<std::size_t>(config.input_size) *
         static_cast<std::size_t>(config.input_size);
}

/// Sides of the square maps inside a network, in pixels. Zero where nothing is left.
struct MapSides {
  int stem = 0;             ///< After the stem's convolution.
  int pooled = 0;           ///< After the stem's pool; `stem` without one.
  std::vector<int> stages;  ///< After each stage.
};
/// The sides for an input of `input_size` pixels a side.
FER_API MapSides map_sides(const NetworkConfig& config);

/// The presets by name: "fernet" (the default), "fernet-small" (10 million multiply-accumulates at
/// 32 px, for experiments), "fernet-large" (a teacher), "resnet18", "facenet" (the plan of dlib's
/// face recognition network for grey crops of 48 px, which `fer import` fills).
/// Throws std::runtime_error that lists them for any other name.
FER_API NetworkConfig network_preset(const std::string& name);

FER_API void to_json(nlohmann::json& json, const NetworkConfig& config);
/// Throws nlohmann::json::exception for a missing or mistyped field, and what check() throws.
FER_API void from_json(const nlohmann::json& json, NetworkConfig& config);

}  // namespace fer
