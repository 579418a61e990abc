// Which models are networks of others, by their files' names.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace fer {

/// True for a path that ends in .onnx.
inline bool is_onnx_path(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension == ".onnx";
}

/// Where the description of an ONNX file lies: NAME.json beside NAME.onnx.
inline std::filesystem::path onnx_description_path(const std::filesystem::path& onnx) {
  return std::filesystem::path(onnx).replace_extension(".json");
}

/// Throws std::runtime_error, for such a path, that this is no model that can learn.
inline void refuse_onnx(const std::filesystem::path& path) {
  if (!is_onnx_path(path)) return;
  throw std::runtime_error(path.string() +
                           ": expected a model of gst-fer's own (.fer), found an ONNX network, "
                           "which serves (ferinfer, fer eval, fer watch), but does not learn");
}

}  // namespace fer
