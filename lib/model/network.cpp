#include "model/network.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "model/network_layout.h"

namespace fer {
namespace nn = torch::nn;
namespace {

/// Values of the largest feature map: what a file may make us ask memory for.
constexpr std::int64_t kMaxMaps = 1 << 26;

nn::Conv2d conv(int in, int out, int kernel, int stride) {
  return nn::Conv2d(
      nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("network config: " + what);
}

}  // namespace

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
  std::int64_t side = (input_size - 1) / stem_stride + 1, maps = stem_width * side * side;
  for (std::size_t stage = 0; stage < widths.size(); ++stage) {
    if (strides[stage] < 1) break;  // refused below
    side = (side - 1) / strides[stage] + 1;
    maps = std::max(maps, widths[stage] * side * side);
  }
  require(maps <= kMaxMaps, "feature maps of more than " + std::to_string(kMaxMaps) + " values");
  for (int stride : strides) require(stride >= 1 && stride <= 4, "strides must be in [1, 4]");
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
  throw std::runtime_error("network \"" + name +
                           "\" is not known; expected fernet, fernet-large or resnet18");
}

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
  json.at("attention_branches").get_to(c.attention_branches);
  json.at("attention_reduction").get_to(c.attention_reduction);
  json.at("drop_branch").get_to(c.drop_branch);
  json.at("drop_feature").get_to(c.drop_feature);
  json.at("dropout").get_to(c.dropout);
  json.at("classes").get_to(c.classes);
  c.check();
}

ResidualBlockImpl::ResidualBlockImpl(int in, int out, int stride) {
  conv1 = register_module("conv1", conv(in, out, 3, stride));
  bn1 = register_module("bn1", nn::BatchNorm2d(out));
  conv2 = register_module("conv2", conv(out, out, 3, 1));
  bn2 = register_module("bn2", nn::BatchNorm2d(out));
  if (stride != 1 || in != out) {
    shortcut = register_module("shortcut", conv(in, out, 1, stride));
    bn_shortcut = register_module("bn_shortcut", nn::BatchNorm2d(out));
  }
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& x) {
  torch::Tensor y = torch::relu(bn1(conv1(x)));
  y = bn2(conv2(y));
  return torch::relu(y + (shortcut.is_empty() ? x : bn_shortcut(shortcut(x))));
}

LocalAttentionImpl::LocalAttentionImpl(int channels, int branches, int reduction,
                                       double drop_branch)
    : drop_branch_(drop_branch) {
  const int inner = std::max(1, channels / reduction);
  reduce = register_module("reduce", nn::Conv2d(nn::Conv2dOptions(channels, branches * inner, 1)));
  score = register_module(
      "score", nn::Conv2d(nn::Conv2dOptions(branches * inner, branches, 1).groups(branches)));
}

torch::Tensor LocalAttentionImpl::forward(const torch::Tensor& x) {
  torch::Tensor maps = torch::sigmoid(score(torch::relu(reduce(x))).to(torch::kFloat));
  const auto n = maps.size(0), branches = maps.size(1);
  if (is_training() && drop_branch_ > 0 && branches > 1) {
    // One branch a sample, chosen at random, falls silent with probability drop_branch.
    const torch::Tensor victim = torch::randint(branches, {n}, torch::kLong);
    const torch::Tensor falls = (torch::rand({n, 1}) < drop_branch_).to(torch::kFloat);
    const torch::Tensor keep = 1 - torch::one_hot(victim, branches) * falls;
    maps = maps * keep.to(maps.device()).view({n, branches, 1, 1});
  }
  return x * maps.amax(1, /*keepdim=*/true).to(x.scalar_type());
}

NetworkImpl::NetworkImpl(const NetworkConfig& config) : config_(config) {
  config_.check();
  stem = register_module(
      "stem", conv(config.channels, config.stem_width, config.stem_kernel, config.stem_stride));
  stem_bn = register_module("stem_bn", nn::BatchNorm2d(config.stem_width));
  int width = config.stem_width;
  for (std::size_t stage = 0; stage < config.widths.size(); ++stage) {
    for (int i = 0; i < config.depths[stage]; ++i) {
      ResidualBlock block(width, config.widths[stage], i == 0 ? config.strides[stage] : 1);
      register_module(block_name(stage, i), block);
      blocks.push_back(block);
      width = config.widths[stage];
    }
  }
  if (config.attention_branches > 0) {
    attention = register_module(
        "attention", LocalAttention(width, config.attention_branches, config.attention_reduction,
                                    config.drop_branch));
  }
  head = register_module("head", nn::Linear(width, config.classes));

  for (auto& module : modules(/*include_self=*/false)) {
    if (auto* c = module->as<nn::Conv2d>()) {
      nn::init::kaiming_normal_(c->weight, 0, torch::kFanOut, torch::kReLU);
    }
  }
}

torch::Tensor NetworkImpl::forward(torch::Tensor x) {
  x = torch::relu(stem_bn(stem(x)));
  if (config_.stem_pool) x = torch::max_pool2d(x, 3, 2, 1);
  for (auto& block : blocks) x = block(x);
  if (is_training() && config_.drop_feature > 0)
    x = torch::feature_dropout(x, config_.drop_feature, true);
  if (!attention.is_empty()) x = attention(x);
  x = x.mean({2, 3});
  x = torch::dropout(x, config_.dropout, is_training());
  return head(x).to(torch::kFloat);
}

std::int64_t NetworkImpl::macs() const {
  std::int64_t total = 0;
  std::int64_t side = config_.input_size;
  auto add = [&](const nn::Conv2d& c, std::int64_t out_side) {
    total += c->weight.numel() * out_side * out_side;
  };
  auto shrink = [&](int stride) { side = (side + stride - 1) / stride; };
  shrink(config_.stem_stride);
  add(stem, side);
  if (config_.stem_pool) shrink(2);
  for (const auto& block : blocks) {
    shrink(static_cast<int>(block->conv1->options.stride()->at(0)));
    add(block->conv1, side);
    add(block->conv2, side);
    if (!block->shortcut.is_empty()) add(block->shortcut, side);
  }
  if (!attention.is_empty()) {
    add(attention->reduce, side);
    add(attention->score, side);
  }
  return total + head->weight.numel();
}

}  // namespace fer
