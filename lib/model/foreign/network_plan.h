// How a network of others is fed and read: its description and its ONNX file brought together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "export.h"
#include "model/foreign/description.h"

namespace fer {

struct OnnxHeader;

/// The input and the output of a network.
struct NetworkPlan {
  std::string input, output;  ///< Their names in the file.
  PixelOrder layout = PixelOrder::kNchw;
  ColorSpace color_space = ColorSpace::kGrey;
  int channels = 1;
  int side = 0;  ///< In pixels.
  /// The network takes pixel · scale + shift; one entry a channel, in the network's order.
  std::vector<float> scale, shift;
  /// It takes any number of faces a call; else one.
  bool any_batch = false;

  /// Values of one face, and bytes of its crop.
  std::size_t input_size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(side) *
           static_cast<std::size_t>(side);
  }
  /// Extents of the input for n faces.
  std::vector<std::int64_t> input_shape(std::size_t n) const;
};

/// Throws std::runtime_error, naming the file that is to be changed, what was expected and what was
/// found, where the description does not fit what the ONNX file says of itself.
FER_API NetworkPlan plan_network(const NetworkDescription& description, const OnnxHeader& header,
                                 const std::filesystem::path& onnx);

/// n crops (planar, RGB or grey, a byte a value) as the network's input, n x input_size() values.
FER_API void fill_input(const NetworkPlan& plan, const std::uint8_t* crops, std::size_t n,
                        float* input);

}  // namespace fer
