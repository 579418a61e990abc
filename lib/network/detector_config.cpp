#include "network/detector_config.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "vision/detection_grid.h"

namespace fer {
namespace {

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("detector config: " + what);
}

void add_block(std::vector<DetectorConv>& convs, const std::string& name, int in, int out,
               int kernel, int stride, int at) {
  convs.push_back({name + ".depthwise", name + ".depthwise_bn", in, in, kernel, stride, in, at});
  convs.push_back({name + ".pointwise", name + ".pointwise_bn", in, out, 1, 1, 1, at});
}

}  // namespace

void DetectorNetConfig::check() const {
  const auto odd = [](int kernel) { return kernel >= 1 && kernel <= 11 && kernel % 2 == 1; };
  require(stem_width >= 1 && stem_width <= 512, "stem_width must be in [1, 512]");
  require(odd(stem_kernel), "stem_kernel must be odd and in [1, 11]");
  require(stem_stride == 2 || stem_stride == 4, "stem_stride must be 2 or 4");
  for (int width : widths) require(width >= 1 && width <= 512, "widths must be in [1, 512]");
  for (int depth : depths) require(depth >= 1 && depth <= 16, "depths must be in [1, 16]");
  require(stem_stride == 4 || depths[0] >= 2,
          "depths must begin with 2 or more where stem_stride is 2");
  for (int kernel : kernels) require(odd(kernel), "kernels must be odd and in [1, 11]");
}

void to_json(nlohmann::json& json, const DetectorNetConfig& c) {
  json = {{"stem_width", c.stem_width},   {"stem_kernel", c.stem_kernel},
          {"stem_stride", c.stem_stride}, {"widths", c.widths},
          {"depths", c.depths},           {"kernels", c.kernels}};
}

void from_json(const nlohmann::json& json, DetectorNetConfig& c) {
  json.at("stem_width").get_to(c.stem_width);
  json.at("stem_kernel").get_to(c.stem_kernel);
  c.stem_stride = json.value("stem_stride", 4);  // earlier files have none
  const auto three = [&](const char* name, std::array<int, 3>& values) {
    require(json.at(name).size() == values.size(), std::string(name) + " must name three stages");
    json.at(name).get_to(values);
  };
  three("widths", c.widths);
  three("depths", c.depths);
  three("kernels", c.kernels);
  c.check();
}

int detector_block_stride(const DetectorNetConfig& config, std::size_t level, int index) {
  const int halving = level == 0 && config.stem_stride == 2 ? 2 : 1;
  return index < halving ? 2 : 1;
}

std::string detector_block(int stride, int index) {
  return "stage" + std::to_string(stride) + "_" + std::to_string(index);
}

std::string detector_part(const char* part, int stride) {
  return part + std::to_string(stride);
}

std::vector<DetectorConv> detector_convs(const DetectorNetConfig& config) {
  std::vector<DetectorConv> convs{{"stem", "stem_bn", 1, config.stem_width, config.stem_kernel,
                                   config.stem_stride, 1, config.stem_stride}};
  int width = config.stem_width, at = config.stem_stride;
  for (std::size_t level = 0; level < kCellStrides.size(); ++level) {
    const int stride = kCellStrides[level];
    for (int i = 0; i < config.depths[level]; ++i) {
      const int step = detector_block_stride(config, level, i);
      at *= step;
      add_block(convs, detector_block(stride, i), width, config.widths[level],
                config.kernels[level], step, at);
      width = config.widths[level];
    }
  }
  const int neck = config.widths[0];
  for (std::size_t level = 0; level < kCellStrides.size(); ++level) {
    const int stride = kCellStrides[level];
    // The finest map has the neck's width as it is.
    if (level > 0) {
      convs.push_back({detector_part("lateral", stride), detector_part("lateral_bn", stride),
                       config.widths[level], neck, 1, 1, 1, stride});
    }
    add_block(convs, detector_part("head", stride), neck, neck, 3, 1, stride);
    convs.push_back({detector_part("out", stride), "", neck, kCellValues, 1, 1, 1, stride});
  }
  return convs;
}

std::map<std::string, std::vector<std::int64_t>> detector_layout(const DetectorNetConfig& config) {
  std::map<std::string, std::vector<std::int64_t>> layout;
  for (const DetectorConv& conv : detector_convs(config)) {
    layout[conv.name + ".weight"] = {conv.out, conv.in / conv.groups, conv.kernel, conv.kernel};
    if (conv.norm.empty()) {
      layout[conv.name + ".bias"] = {conv.out};
      continue;
    }
    for (const char* field : {".weight", ".bias", ".running_mean", ".running_var"})
      layout[conv.norm + field] = {conv.out};
  }
  return layout;
}

std::int64_t detector_parameters(const DetectorNetConfig& config) {
  std::int64_t total = 0;
  for (const auto& [name, shape] : detector_layout(config)) {
    if (name.find(".running_") != std::string::npos) continue;
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    total += count;
  }
  return total;
}

std::int64_t detector_macs(const DetectorNetConfig& config, int width, int height) {
  const std::int64_t w = padded_side(width, kLargestStride, kLargestStride);
  const std::int64_t h = padded_side(height, kLargestStride, kLargestStride);
  std::int64_t total = 0;
  for (const DetectorConv& conv : detector_convs(config)) {
    const std::int64_t kernel =
        static_cast<std::int64_t>(conv.in / conv.groups) * conv.out * conv.kernel * conv.kernel;
    total += kernel * (w / conv.at) * (h / conv.at);
  }
  return total;
}

}  // namespace fer
