// ONNX Runtime, by way of Python. RUN_ONNX names the script.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "python.h"
#include "scoped.h"
#include "terminal/subprocess.h"

namespace fer::test {

inline bool has_onnx_runtime() {
  return python_has("numpy, onnxruntime");
}

/// The outputs of the network in these bytes, one after the other, for a batch N x C x H x W of
/// fp32.
inline std::vector<float> by_onnx_runtime(const std::string& onnx, const cv::Mat& blob) {
  const ScopedFolder folder;
  const auto file = folder.write("model.onnx", onnx);
  const auto in = folder.write(
      "in", {reinterpret_cast<const char*>(blob.ptr<float>()), blob.total() * sizeof(float)});
  const auto out = folder.path() / "out";
  std::string shape;
  for (int i = 0; i < blob.dims; ++i)
    shape.append(i > 0 ? "," : "").append(std::to_string(blob.size[i]));
  const ProgramResult ran =
      run_program({python(), RUN_ONNX, file, in, out, shape}, std::chrono::seconds(120));
  EXPECT_EQ(ran.status, 0) << ran.out;
  std::ifstream stream(out, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  std::vector<float> values(bytes.size() / sizeof(float));
  std::copy_n(bytes.data(), values.size() * sizeof(float), reinterpret_cast<char*>(values.data()));
  return values;
}

}  // namespace fer::test
