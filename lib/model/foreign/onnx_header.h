// What an ONNX file says of itself: inputs, outputs, metadata. Its nodes and weights are passed
// over.
//
// Read here, and not by libonnx: libfer would need protobuf for it, and OpenCV, which computes the
// network, has another copy of ONNX's messages inside. Every length is checked before use.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "export.h"

namespace fer {

/// An extent that the file leaves open.
inline constexpr std::int64_t kAnyExtent = -1;

/// ONNX's number for elements of 32-bit floating point (TensorProto.FLOAT).
inline constexpr int kOnnxFloat = 1;

/// An input or an output of the graph.
struct OnnxTensor {
  std::string name;
  int element_type = 0;             ///< ONNX's number (TensorProto.DataType); 0: not said.
  std::vector<std::int64_t> shape;  ///< Extents, or kAnyExtent. Empty: not said, or one number.
};

/// What the file says beside nodes and weights.
struct OnnxHeader {
  std::string producer;                         ///< The program that wrote it.
  std::int64_t opset = 0;                       ///< Version of ONNX's own operators.
  std::vector<OnnxTensor> inputs;               ///< Without those that are weights.
  std::vector<OnnxTensor> outputs;              ///< In the file's order.
  std::map<std::string, std::string> metadata;  ///< Its metadata_props.
  std::size_t nodes = 0;                        ///< Operators of the graph.
  std::size_t parameters = 0;                   ///< Numbers in its weights, as their shapes say.
  bool external_data = false;                   ///< Some weights lie in other files.
};

/// Throws std::runtime_error with what was found where the bytes are no ONNX model with a graph.
FER_API OnnxHeader read_onnx_header(std::string_view bytes);

/// For messages: "1 x 3 x N x N".
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace fer
