// What an ONNX file says of itself.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace fer::test {

struct OnnxFile {
  struct Value {
    std::string name;
    std::vector<std::string> shape;  ///< A number a side, or the name of one that is free.
  };
  std::string producer;
  long opset = 0;
  std::vector<Value> inputs, outputs;
  std::map<std::string, std::string> about;  ///< Its metadata.
};

/// Throws std::runtime_error where the bytes are no ONNX file.
OnnxFile parse_onnx(const std::string& bytes);

}  // namespace fer::test
