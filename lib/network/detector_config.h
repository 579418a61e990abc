// The shape of the project's own face detector, as its weights file records it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "export.h"

namespace fer {

/// A single-stage, anchor-free detector on one grey channel.
///
/// Input: N x 1 x H x W, pixel values 0 to 255, sides multiples of 32. A stem convolution of stride
/// 4 or 2, then one stage of depthwise-separable blocks for each stride of kCellStrides (vision/
/// detection_grid.h), whose maps go from the coarsest down by enlarging and adding; each level ends
/// in one block and a 1x1 convolution to kCellValues values a cell.
struct DetectorNetConfig {
  int stem_width = 24;  ///< Channels after the stem.
  int stem_kernel = 7;  ///< Side of the stem's kernel.
  /// Of the stem: 4, or 2 where the first stage begins with two blocks that halve the side, so that
  /// more is seen of small faces.
  int stem_stride = 4;
  std::array<int, 3> widths{48, 64, 96};  ///< Channels of each stage; the first is the neck's too.
  std::array<int, 3> depths{3, 4, 3};     ///< Blocks of each stage; the first halves the side.
  /// Side of the depthwise kernels of each stage. OpenCV 4.6 has quick code for those of 3 alone.
  std::array<int, 3> kernels{3, 3, 3};

  /// Throws std::runtime_error that names the field and its range.
  FER_API void check() const;
  bool operator==(const DetectorNetConfig&) const = default;
};

FER_API void to_json(nlohmann::json& json, const DetectorNetConfig& config);
/// Throws nlohmann::json::exception for a missing or mistyped field, and what check() throws.
FER_API void from_json(const nlohmann::json& json, DetectorNetConfig& config);

/// One convolution of the network. All are padded by half their kernel.
struct DetectorConv {
  std::string name;  ///< Of its tensors.
  std::string norm;  ///< Of the batch norm behind it; empty: none, and it has a bias of its own.
  int in = 0, out = 0, kernel = 1, stride = 1, groups = 1;
  int at = 0;  ///< Pixels of the input between two outputs.
};

/// All convolutions of the network, in the order of computation but for the neck's.
FER_API std::vector<DetectorConv> detector_convs(const DetectorNetConfig& config);

/// Stride of a block of a stage: the first halves the side, and in the first stage as many as the
/// stem leaves to be halved.
FER_API int detector_block_stride(const DetectorNetConfig& config, std::size_t level, int index);

/// Names of the parts: "stage8_0", "lateral16", "head32", "out8".
FER_API std::string detector_block(int stride, int index);
FER_API std::string detector_part(const char* part, int stride);

/// Name → shape of every parameter and floating-point buffer.
FER_API std::map<std::string, std::vector<std::int64_t>> detector_layout(
    const DetectorNetConfig& config);

/// Numbers that training changes.
FER_API std::int64_t detector_parameters(const DetectorNetConfig& config);
/// Multiply-accumulates of one picture, its sides rounded up to multiples of 32.
FER_API std::int64_t detector_macs(const DetectorNetConfig& config, int width, int height);

}  // namespace fer
