#include "model/network_config.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace fer {
namespace {

/// Values of the largest feature map: what a file may make us ask memory for.
constexpr std::int64_t kMaxMaps = 1 << 26;

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("network config: " + what);
}

}  // namespace

MapSides map_sides(const NetworkConfig& config) {
  const bool padded = config.downsampling == Downsampling::kProjection;
  // A window of `size` pixels, each `stride`-th one, over `side` pixels.
  const auto windows = [padded](int side, int size, int stride) {
    if (padded) return (side - 1) / stride + 1;
    return side < size ? 0 : (side - size) / stride + 1;
  };
  MapSides sides;
  sides.stem = windows(config.input_size, config.stem_kernel, config.stem_stride);
  sides.pooled = config.stem_pool ? windows(sides.stem, 3, 2) : sides.stem;
  int side = sides.pooled;
  for (const int stride : config.strides) {
    if (padded) {
      side = windows(side, 1, stride);
    } else if (stride > 1) {
      side = side < 3 ? 0 : std::max(windows(side, 3, stride), side / 2);
    }
    sides.stages.push_back(side);
  }
  return sides;
}

void NetworkConfig::check() const {
  require(input_size >= 16 && input_size <= 512, "input_size must be in [16, 512]");
  require(channels == 1 || channels == 3, "channels must be 1 (grey) or 3 (RGB)");
  require(stem_width >= 1 && stem_width <= 1024, "stem_width must be in [1, 1024]");
  require(stem_kernel >= 1 && stem_kernel <= 11 && stem_kernel % 2 == 1,
          "stem_kernel must be odd and in [1, 11]");
  require(stem_stride >= 1 && stem_stride <= 4, "stem_stride must be in [1, 4]");
  require(!widths.empty() && widths.size() <= 8, "widths must name 1 to 8 stages");
  require(depths.size() == widths.size() && strides.size() == widths.size(),
          "widths, depths and strides must name the same number of stages");
  for (int width : widths) require(width >= 1 && width <= 4096, "widths must be in [1, 4096]");
  for (int depth : depths) require(depth >= 1 && depth <= 64, "depths must be in [1, 64]");
  for (int stride : strides) require(stride >= 1 && stride <= 4, "strides must be in [1, 4]");
  if (downsampling == Downsampling::kPooling) {
    int width = stem_width;
    for (std::size_t stage = 0; stage < widths.size(); ++stage) {
      require(strides[stage] <= 2, "strides must be 1 or 2 where downsampling is \"pooling\"");
      require(widths[stage] == width || (strides[stage] == 2 && widths[stage] > width),
              "widths may only grow, and only with a stride, where downsampling is \"pooling\"");
      width = widths[stage];
    }
  }
  const MapSides sides = map_sides(*this);
  const auto values = [](std::int64_t width, std::int64_t side) { return width * side * side; };
  std::int64_t maps = values(stem_width, sides.stem);
  for (std::size_t stage = 0; stage < widths.size(); ++stage) {
    maps = std::max(maps, values(widths[stage], sides.stages[stage]));
  }
  require(maps <= kMaxMaps, "feature maps of more than " + std::to_string(kMaxMaps) + " values");
  require(sides.stages.back() >= 1, "input_size " + std::to_string(input_size) +
                                        " is too small: nothing is left of the last stage's maps");
  require(attention_branches >= 0 && attention_branches <= 64,
          "attention_branches must be in [0, 64]");
  require(
      attention_branches == 0 || (attention_reduction >= 1 && attention_reduction <= widths.back()),
      "attention_reduction must be in [1, last width]");
  for (double p : {drop_branch, drop_feature, dropout})
    require(p >= 0 && p < 1, "drop_branch, drop_feature and dropout must be in [0, 1)");
  require(classes >= 2 && classes <= 1000, "classes must be in [2, 1000]");
}

NetworkConfig network_preset(const std::string& name) {
  NetworkConfig config;
  config.name = name;
  if (name == "fernet") return config;
  if (name == "fernet-small") {
    config.input_size = 32;
    config.stem_width = 16;
    config.widths = {32, 64, 96};
    config.depths = {1, 1, 1};
    return config;
  }
  if (name == "fernet-large") {
    config.stem_width = 48;
    config.widths = {64, 128, 256};
    config.depths = {2, 2, 2};
    config.dropout = 0.3;
    return config;
  }
  if (name == "resnet18") {
    config.input_size = 112;
    config.stem_width = 64;
    config.stem_kernel = 7;
    config.stem_stride = 2;
    config.stem_pool = true;
    config.widths = {64, 128, 256, 512};
    config.depths = {2, 2, 2, 2};
    config.strides = {1, 2, 2, 2};
    config.attention_branches = 0;
    config.drop_branch = 0;
    config.dropout = 0;
    return config;
  }
  if (name == "facenet") {
    // dlib's stem of 7x7 and stride 2 behind a two-fold enlargement is one of 5x5 and stride 1.
    config.stem_kernel = 5;
    config.stem_pool = true;
    config.widths = {32, 64, 128, 256};
    config.depths = {3, 4, 3, 3};
    config.strides = {1, 2, 2, 2};
    config.downsampling = Downsampling::kPooling;
    config.attention_branches = 0;
    config.drop_branch = 0;
    config.dropout = 0.3;
    return config;
  }
  throw std::runtime_error("network \"" + name +
                           "\" is not known; expected fernet, fernet-small, fernet-large, resnet18 "
                           "or facenet");
}

NLOHMANN_JSON_SERIALIZE_ENUM(Downsampling, {{Downsampling::kProjection, "projection"},
                                            {Downsampling::kPooling, "pooling"}})

void to_json(nlohmann::json& json, const NetworkConfig& c) {
  json = {{"name", c.name},
          {"input_size", c.input_size},
          {"channels", c.channels},
          {"stem_width", c.stem_width},
          {"stem_kernel", c.stem_kernel},
          {"stem_stride", c.stem_stride},
          {"stem_pool", c.stem_pool},
          {"widths", c.widths},
          {"depths", c.depths},
          {"strides", c.strides},
          {"downsampling", c.downsampling},
          {"attention_branches", c.attention_branches},
          {"attention_reduction", c.attention_reduction},
          {"drop_branch", c.drop_branch},
          {"drop_feature", c.drop_feature},
          {"dropout", c.dropout},
          {"classes", c.classes}};
}

void from_json(const nlohmann::json& json, NetworkConfig& c) {
  json.at("name").get_to(c.name);
  json.at("input_size").get_to(c.input_size);
  json.at("channels").get_to(c.channels);
  json.at("stem_width").get_to(c.stem_width);
  json.at("stem_kernel").get_to(c.stem_kernel);
  json.at("stem_stride").get_to(c.stem_stride);
  json.at("stem_pool").get_to(c.stem_pool);
  json.at("widths").get_to(c.widths);
  json.at("depths").get_to(c.depths);
  json.at("strides").get_to(c.strides);
  // Absent in older files. An unknown word is an error, and not the first of the list.
  if (json.contains("downsampling")) {
    json.at("downsampling").get_to(c.downsampling);
    const nlohmann::json read = c.downsampling;
    require(read == json.at("downsampling"), "downsampling must be \"projection\" or \"pooling\"");
  }
  json.at("attention_branches").get_to(c.attention_branches);
  json.at("attention_reduction").get_to(c.attention_reduction);
  json.at("drop_branch").get_to(c.drop_branch);
  json.at("drop_feature").get_to(c.drop_feature);
  json.at("dropout").get_to(c.dropout);
  json.at("classes").get_to(c.classes);
  c.check();
}

}  // namespace fer
