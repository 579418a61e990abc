// ONNX files that a test makes itself, byte by byte, without ONNX's library: one linear layer,
// whose outputs can be worked out by hand.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fer::test {

/// A message in protobuf's wire format.
class OnnxMessage {
 public:
  OnnxMessage& number(std::uint64_t field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
    return *this;
  }
  OnnxMessage& text(std::uint64_t field, std::string_view bytes) {
    varint(field << 3 | 2);
    varint(bytes.size());
    bytes_.append(bytes);
    return *this;
  }
  OnnxMessage& message(std::uint64_t field, const OnnxMessage& message) {
    return text(field, message.bytes_);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

/// outputs = weight · flat input + bias, or softmax of that. The flat input is in the order of the
/// input's extents.
struct TinyOnnx {
  std::vector<std::int64_t> input_shape{1, 1, 4, 4};  ///< -1: any extent.
  std::vector<std::vector<float>> weight;             ///< Classes x product of the extents.
  std::vector<float> bias;
  bool softmax = false;
  std::string input = "pixels", output = "scores";
  int input_type = 1;  ///< TensorProto.DataType: FLOAT.
  /// Also offers the linear layer's values, as "raw"; else only `output`.
  bool two_outputs = false;
  bool two_inputs = false;
  /// Declared for the output; empty: 1 x classes.
  std::vector<std::int64_t> output_shape;
  std::vector<std::pair<std::string, std::string>> metadata;

  std::string bytes() const {
    const auto classes = static_cast<std::int64_t>(weight.size());
    const std::string linear = two_outputs || softmax ? "raw" : output;
    OnnxMessage graph;
    graph.message(1, node("Flatten", {input}, "flat").message(5, integer("axis", 1)));
    graph.message(
        1, node("Gemm", {"flat", "weight", "bias"}, linear).message(5, integer("transB", 1)));
    if (linear != output)
      graph.message(1, node("Softmax", {linear}, output).message(5, integer("axis", 1)));
    graph.text(2, "tiny");
    std::vector<float> flat;
    for (const auto& row : weight) flat.insert(flat.end(), row.begin(), row.end());
    graph.message(5,
                  tensor("weight", {classes, static_cast<std::int64_t>(weight[0].size())}, flat));
    graph.message(5, tensor("bias", {classes}, bias));
    graph.message(11, value(input, input_type, input_shape));
    if (two_inputs) graph.message(11, value("landmarks", 1, {1, 10}));
    const auto shape =
        output_shape.empty() ? std::vector<std::int64_t>{input_shape[0], classes} : output_shape;
    graph.message(12, value(output, 1, shape));
    if (two_outputs) graph.message(12, value("raw", 1, shape));
    OnnxMessage model;
    model.number(1, 6).text(2, "fer-test");
    model.message(7, graph);
    model.message(8, OnnxMessage().number(2, 11));
    for (const auto& [key, text] : metadata)
      model.message(14, OnnxMessage().text(1, key).text(2, text));
    return model.bytes();
  }

 private:
  static OnnxMessage node(const char* type, const std::vector<std::string>& inputs,
                          const std::string& output) {
    OnnxMessage node;
    for (const std::string& input : inputs) node.text(1, input);
    node.text(2, output).text(3, "node_" + output).text(4, type);
    return node;
  }
  static OnnxMessage integer(const char* name, std::uint64_t value) {
    return OnnxMessage().text(1, name).number(3, value).number(20, 2);
  }
  static OnnxMessage tensor(const char* name, const std::vector<std::int64_t>& shape,
                            const std::vector<float>& values) {
    std::string raw(values.size() * sizeof(float), '\0');
    std::memcpy(raw.data(), values.data(), raw.size());
    OnnxMessage tensor;
    for (const std::int64_t extent : shape) tensor.number(1, static_cast<std::uint64_t>(extent));
    tensor.number(2, 1).text(8, name).text(9, raw);
    return tensor;
  }
  static OnnxMessage value(const std::string& name, int type,
                           const std::vector<std::int64_t>& shape) {
    OnnxMessage extents;
    for (const std::int64_t extent : shape) {
      extents.message(1, extent < 0 ? OnnxMessage().text(2, "N")
                                    : OnnxMessage().number(1, static_cast<std::uint64_t>(extent)));
    }
    const OnnxMessage tensor_type =
        OnnxMessage().number(1, static_cast<std::uint64_t>(type)).message(2, extents);
    return OnnxMessage().text(1, name).message(2, OnnxMessage().message(1, tensor_type));
  }
};

/// A network of `classes` outputs, each `gain` times the input's value at one place of the flat
/// input, plus a bias.
inline TinyOnnx picking_onnx(const std::vector<std::int64_t>& input_shape,
                             const std::vector<std::size_t>& places, float gain = 1) {
  TinyOnnx tiny;
  tiny.input_shape = input_shape;
  std::size_t size = 1;
  for (std::size_t i = 1; i < input_shape.size(); ++i)
    size *= static_cast<std::size_t>(input_shape[i]);
  for (const std::size_t place : places) {
    tiny.weight.emplace_back(size);
    tiny.weight.back()[place] = gain;
    tiny.bias.push_back(0);
  }
  return tiny;
}

}  // namespace fer::test
