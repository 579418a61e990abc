#include "model/network_layout.h"

#include <algorithm>

namespace fer {
namespace {

using Layout = std::map<std::string, std::vector<std::int64_t>>;

void add_conv(Layout& layout, const std::string& conv, const std::string& norm, std::int64_t in,
              std::int64_t out, std::int64_t kernel) {
  layout[conv + ".weight"] = {out, in, kernel, kernel};
  for (const char* field : {".weight", ".bias", ".running_mean", ".running_var"}) {
    layout[norm + field] = {out};
  }
}

}  // namespace

bool is_of_head(const std::string& tensor) {
  return tensor.rfind("head.", 0) == 0;
}

std::string block_name(std::size_t stage, int index) {
  return "stage" + std::to_string(stage) + "_" + std::to_string(index);
}

Layout network_layout(const NetworkConfig& config) {
  Layout layout;
  add_conv(layout, "stem", "stem_bn", config.channels, config.stem_width, config.stem_kernel);
  std::int64_t in = config.stem_width;
  for (std::size_t stage = 0; stage < config.widths.size(); ++stage) {
    const std::int64_t out = config.widths[stage];
    for (int i = 0; i < config.depths[stage]; ++i) {
      const std::string block = block_name(stage, i);
      add_conv(layout, block + ".conv1", block + ".bn1", in, out, 3);
      add_conv(layout, block + ".conv2", block + ".bn2", out, out, 3);
      const bool shrinks = i == 0 && config.strides[stage] != 1;
      if (config.downsampling == Downsampling::kProjection && (shrinks || in != out)) {
        add_conv(layout, block + ".shortcut", block + ".bn_shortcut", in, out, 1);
      }
      in = out;
    }
  }
  if (config.attention_branches > 0) {
    const std::int64_t branches = config.attention_branches;
    const std::int64_t inner = std::max<std::int64_t>(1, in / config.attention_reduction);
    layout["attention.reduce.weight"] = {branches * inner, in, 1, 1};
    layout["attention.reduce.bias"] = {branches * inner};
    layout["attention.score.weight"] = {branches, inner, 1, 1};
    layout["attention.score.bias"] = {branches};
  }
  layout["head.weight"] = {config.classes, in};
  layout["head.bias"] = {config.classes};
  return layout;
}

}  // namespace fer
