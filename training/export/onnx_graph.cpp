#include "export/onnx_graph.h"

#include <onnx/checker.h>
#include <onnx/common/version.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <utility>

#include "model/folded_network.h"
#include "vision/onnx_checksum.h"

namespace fer {
namespace {

/// The largest compact weight, in steps: two signed bytes, since OpenCV 4.6 takes unsigned ones for
/// signed.
constexpr int kSteps = 127 * 256;

/// Of ONNX 1.6, the release that brought operator set 11.
constexpr int kIrVersion = 6;

void set_type(onnx::ValueInfoProto& info, const std::string& name,
              const std::vector<OnnxDim>& shape) {
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  for (const OnnxDim& dim : shape) {
    auto& entry = *tensor.mutable_shape()->add_dim();
    if (dim.free.empty()) {
      entry.set_dim_value(dim.size);
    } else {
      entry.set_dim_param(dim.free);
    }
  }
}

onnx::TensorProto tensor_of(const std::string& name, int type, std::string bytes,
                            const std::vector<int>& shape) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const int size : shape) tensor.add_dims(size);
  tensor.set_raw_data(std::move(bytes));
  return tensor;
}

template <typename T>
std::string bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

/// Stores a constant, of the same values once. Returns its name.
std::string store(onnx::GraphProto& graph, onnx::TensorProto tensor) {
  const auto& stored = graph.initializer();
  const auto same = std::find_if(stored.begin(), stored.end(), [&](const auto& other) {
    return other.data_type() == tensor.data_type() && other.raw_data() == tensor.raw_data() &&
           std::equal(other.dims().begin(), other.dims().end(), tensor.dims().begin(),
                      tensor.dims().end());
  });
  if (same != stored.end()) return same->name();
  return (*graph.add_initializer() = std::move(tensor)).name();
}

/// A node under construction.
class Node {
 public:
  Node(onnx::GraphProto& graph, const std::string& kind, const std::vector<std::string>& inputs)
      : graph_(graph), node_(*graph.add_node()) {
    // Values take the name of the node that they come from.
    const std::string name = kind + "_" + std::to_string(graph.node_size());
    node_.set_op_type(kind);
    node_.set_name(name);
    for (const std::string& input : inputs) node_.add_input(input);
    node_.add_output(name);
  }

  Node& ints(const std::string& name, const std::vector<int>& values) {
    auto& attribute = add(name, onnx::AttributeProto::INTS);
    for (const int value : values) attribute.add_ints(value);
    return *this;
  }
  Node& number(const std::string& name, int value) {
    add(name, onnx::AttributeProto::INT).set_i(value);
    return *this;
  }
  /// A tensor of one value.
  Node& value(const std::string& name, float value) {
    *add(name, onnx::AttributeProto::TENSOR).mutable_t() =
        tensor_of("", onnx::TensorProto::FLOAT, bytes_of(std::span<const float>(&value, 1)), {1});
    return *this;
  }
  Node& text(const std::string& name, const std::string& value) {
    add(name, onnx::AttributeProto::STRING).set_s(value);
    return *this;
  }
  /// A further input that never changes, by a name of its own.
  Node& constant(const std::string& suffix, std::span<const float> values,
                 const std::vector<int>& shape) {
    node_.add_input(store(graph_, tensor_of(node_.name() + "." + suffix, onnx::TensorProto::FLOAT,
                                            bytes_of(values), shape)));
    return *this;
  }
  /// As above, of whole numbers.
  Node& constant(const std::string& suffix, const std::vector<std::int64_t>& values) {
    node_.add_input(store(graph_, tensor_of(node_.name() + "." + suffix, onnx::TensorProto::INT64,
                                            bytes_of(std::span<const std::int64_t>(values)),
                                            {static_cast<int>(values.size())})));
    return *this;
  }
  OnnxValue value() const { return {node_.output(0)}; }

 private:
  onnx::AttributeProto& add(const std::string& name, onnx::AttributeProto::AttributeType type) {
    auto& attribute = *node_.add_attribute();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
  }

  onnx::GraphProto& graph_;
  onnx::NodeProto& node_;
};

}  // namespace

struct OnnxGraph::Content {
  onnx::ModelProto model;
  bool compact = false;
  /// Values of compact weights that there are already, by their bytes.
  std::map<std::string, OnnxValue> weights_of;

  /// Constants that may be rounded.
  OnnxValue weights(std::span<const float> values, const std::vector<int>& shape) {
    onnx::GraphProto& graph = *model.mutable_graph();
    const std::string name = "weight_" + std::to_string(graph.initializer_size());
    std::string bytes = bytes_of(values);
    if (!compact)
      return {store(graph, tensor_of(name, onnx::TensorProto::FLOAT, std::move(bytes), shape))};
    std::string key = bytes;
    for (const int size : shape) key.append("x").append(std::to_string(size));
    const auto known = weights_of.find(key);
    if (known != weights_of.end()) return known->second;

    float largest = 0;
    for (const float value : values) largest = std::max(largest, std::abs(value));
    const float step = largest > 0 ? largest / kSteps : 1;
    std::string high, low;
    for (const float value : values) {
      const long steps = std::lround(value / step);
      const long high_steps = (steps + 128) >> 8;
      high.push_back(static_cast<char>(high_steps));
      low.push_back(static_cast<char>(steps - 256 * high_steps));
    }
    // A factor of the constants' own shape: OpenCV 4.6 multiplies constants of one shape alone.
    const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
    const OnnxValue size{
        store(graph, tensor_of(name + ".shape", onnx::TensorProto::INT64,
                               bytes_of(std::span(sizes)), {static_cast<int>(sizes.size())}))};
    const auto part = [&](const std::string& suffix, std::string part_bytes, float factor) {
      const OnnxValue whole{store(
          graph, tensor_of(name + suffix, onnx::TensorProto::INT8, std::move(part_bytes), shape))};
      return node("Mul", {node("Cast", {whole}).number("to", onnx::TensorProto::FLOAT).value(),
                          node("ConstantOfShape", {size}).value("value", factor).value()})
          .value();
    };
    const OnnxValue sum = node("Add", {part(".high", std::move(high), 256 * step),
                                       part(".low", std::move(low), step)})
                              .value();
    weights_of.emplace(std::move(key), sum);
    return sum;
  }

  Node node(const std::string& kind, const std::vector<OnnxValue>& inputs) {
    std::vector<std::string> names;
    for (const OnnxValue& input : inputs) names.push_back(input.name);
    return {*model.mutable_graph(), kind, names};
  }
};

std::string OnnxGraph::library_version() {
  return onnx::LAST_RELEASE_VERSION;
}

OnnxGraph::OnnxGraph(const std::string& name, bool compact)
    : content_(std::make_unique<Content>()) {
  content_->compact = compact;
  onnx::ModelProto& model = content_->model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("gst-fer");
  model.set_producer_version(PACKAGE_VERSION);
  auto& operators = *model.add_opset_import();
  operators.set_domain("");
  operators.set_version(kOpset);
  model.mutable_graph()->set_name(name);
}

OnnxGraph::~OnnxGraph() = default;

OnnxValue OnnxGraph::input(const std::string& name, const std::vector<OnnxDim>& shape) {
  set_type(*content_->model.mutable_graph()->add_input(), name, shape);
  return {name};
}

void OnnxGraph::output(const OnnxValue& value, const std::string& name,
                       const std::vector<OnnxDim>& shape) {
  onnx::GraphProto& graph = *content_->model.mutable_graph();
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    std::replace(node.mutable_input()->begin(), node.mutable_input()->end(), value.name, name);
    std::replace(node.mutable_output()->begin(), node.mutable_output()->end(), value.name, name);
  }
  set_type(*graph.add_output(), name, shape);
}

void OnnxGraph::describe(const std::string& key, const std::string& text) {
  auto& entry = *content_->model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(text);
}

OnnxValue OnnxGraph::scale(const OnnxValue& x, float factor, float shift) {
  const OnnxValue scaled =
      content_->node("Mul", {x}).constant("factor", std::span(&factor, 1), {1}).value();
  return content_->node("Add", {scaled}).constant("shift", std::span(&shift, 1), {1}).value();
}

OnnxValue OnnxGraph::conv(const OnnxValue& x, const FoldedConv& conv) {
  const OnnxValue weight =
      content_->weights(conv.weight, {conv.out, conv.in / conv.groups, conv.kernel, conv.kernel});
  return content_->node("Conv", {x, weight})
      .constant("bias", conv.bias, {conv.out})
      .ints("kernel_shape", {conv.kernel, conv.kernel})
      .ints("strides", {conv.stride, conv.stride})
      .ints("pads", std::vector<int>(4, conv.pad()))
      .number("group", conv.groups)
      .value();
}

OnnxValue OnnxGraph::relu(const OnnxValue& x) {
  return content_->node("Relu", {x}).value();
}

OnnxValue OnnxGraph::sigmoid(const OnnxValue& x) {
  return content_->node("Sigmoid", {x}).value();
}

OnnxValue OnnxGraph::add(const OnnxValue& x, const OnnxValue& y) {
  return content_->node("Add", {x, y}).value();
}

OnnxValue OnnxGraph::multiply(const OnnxValue& x, const OnnxValue& y) {
  return content_->node("Mul", {x, y}).value();
}

OnnxValue OnnxGraph::repeat_channel(const OnnxValue& x, int channels) {
  const auto count = static_cast<std::size_t>(channels);
  FoldedConv copies;
  copies.in = 1;
  copies.out = channels;
  copies.weight.assign(count, 1.f);
  copies.bias.assign(count, 0.f);
  return conv(x, copies);
}

OnnxValue OnnxGraph::max(const std::vector<OnnxValue>& values) {
  if (values.size() == 1) return values.front();
  return content_->node("Max", values).value();
}

OnnxValue OnnxGraph::pad_end(const OnnxValue& x, int rows) {
  return content_->node("Pad", {x})
      .constant("pads", std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, rows, rows})
      .value();
}

OnnxValue OnnxGraph::max_pool(const OnnxValue& x, int kernel, int stride, bool padded) {
  return content_->node("MaxPool", {x})
      .ints("kernel_shape", {kernel, kernel})
      .ints("strides", {stride, stride})
      .ints("pads", std::vector<int>(4, padded ? kernel / 2 : 0))
      .value();
}

OnnxValue OnnxGraph::mirror(const OnnxValue& x, int width) {
  const auto side = static_cast<std::size_t>(width);
  std::vector<float> exchange(side * side);
  for (std::size_t i = 0; i < side; ++i) exchange[i * side + side - 1 - i] = 1;
  return content_->node("MatMul", {x}).constant("exchange", exchange, {width, width}).value();
}

OnnxValue OnnxGraph::upsample(const OnnxValue& x, int factor) {
  const auto times = static_cast<float>(factor);
  return content_->node("Resize", {x})
      .constant("roi", {}, {0})
      .constant("scales", std::vector<float>{1, 1, times, times}, {4})
      .text("mode", "nearest")
      .text("coordinate_transformation_mode", "asymmetric")
      .text("nearest_mode", "floor")
      .value();
}

OnnxValue OnnxGraph::average(const OnnxValue& x) {
  return content_->node("Flatten", {content_->node("GlobalAveragePool", {x}).value()}).value();
}

OnnxValue OnnxGraph::linear(const OnnxValue& x, std::span<const float> weight,
                            std::span<const float> bias) {
  const auto out = static_cast<int>(bias.size());
  const OnnxValue matrix =
      content_->weights(weight, {out, static_cast<int>(weight.size() / bias.size())});
  return content_->node("Gemm", {x, matrix})
      .constant("bias", bias, {out})
      .number("transB", 1)
      .value();
}

OnnxValue OnnxGraph::softmax(const OnnxValue& x) {
  return content_->node("Softmax", {x}).number("axis", 1).value();
}

std::string OnnxGraph::to_bytes() const {
  try {
    onnx::checker::check_model(content_->model);
    // The checker looks at every node by itself; this finds shapes that do not go together.
    onnx::ModelProto inferred = content_->model;
    onnx::shape_inference::InferShapes(inferred, onnx::OpSchemaRegistry::Instance(),
                                       onnx::ShapeInferenceOptions(true, 1, false));
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string("the ONNX checker refuses the network: ") + error.what());
  }
  return with_onnx_checksum(content_->model.SerializeAsString());
}

}  // namespace fer
