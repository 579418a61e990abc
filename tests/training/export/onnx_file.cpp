#include "export/onnx_file.h"

#include <onnx/onnx_pb.h>

#include <stdexcept>

namespace fer::test {
namespace {

OnnxFile::Value value_of(const onnx::ValueInfoProto& info) {
  OnnxFile::Value value{info.name(), {}};
  for (const auto& dim : info.type().tensor_type().shape().dim()) {
    value.shape.push_back(dim.dim_param().empty() ? std::to_string(dim.dim_value())
                                                  : dim.dim_param());
  }
  return value;
}

}  // namespace

OnnxFile parse_onnx(const std::string& bytes) {
  onnx::ModelProto model;
  if (!model.ParseFromString(bytes)) throw std::runtime_error("no ONNX file");
  OnnxFile file;
  file.producer = model.producer_name();
  file.opset = static_cast<long>(model.opset_import(0).version());
  for (const auto& input : model.graph().input()) file.inputs.push_back(value_of(input));
  for (const auto& output : model.graph().output()) file.outputs.push_back(value_of(output));
  for (const auto& entry : model.metadata_props()) file.about[entry.key()] = entry.value();
  return file;
}

}  // namespace fer::test
