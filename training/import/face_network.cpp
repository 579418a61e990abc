#include "import/face_network.h"

#include <array>
#include <cmath>
#include <stdexcept>

#include "model/network_layout.h"

namespace fer {
namespace {

// The published input is (RGB - mean) / 256, of pixels in [0, 255].
constexpr std::array<double, 3> kMean{122.782, 117.001, 104.298};
constexpr double kScale = 256;
constexpr double kBatchNormEps = 1e-5;

/// A kernel of `rows` taps over an image enlarged twofold (bilinear, pixel centres kept) as one
/// over the image itself: taps 2i to 2i + 6 of the enlarged one lie over pixels i - 1 to i + 3.
torch::Tensor enlarging(std::int64_t taps) {
  torch::Tensor made = torch::zeros({taps, taps / 2 + 2}, torch::kDouble);
  auto share = made.accessor<double, 2>();
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const std::int64_t pixel = tap / 2 + 1;  // Counted from i - 1.
    share[tap][pixel] = 0.75;
    share[tap][tap % 2 == 0 ? pixel - 1 : pixel + 1] = 0.25;
  }
  return made;
}

torch::Tensor tensor_of(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape).clone();
}

/// Writes a published convolution as one without bias and a batch norm of mean zero and variance
/// one.
void put(ModelFile& model, const std::string& conv, const std::string& norm,
         const PublishedConv& published) {
  model.weights[conv + ".weight"] = tensor_of(
      published.weight, {published.out, published.in, published.kernel, published.kernel});
  const torch::Tensor scale = tensor_of(published.scale, {published.out});
  model.weights[norm + ".weight"] = scale;
  model.weights[norm + ".bias"] = tensor_of(published.shift, {published.out}) +
                                  scale * tensor_of(published.bias, {published.out});
  model.weights[norm + ".running_mean"] = torch::zeros({published.out});
  model.weights[norm + ".running_var"] = torch::full({published.out}, 1 - kBatchNormEps);
}

/// Moves the published means of red, green and blue from the input to the first batch norm, the
/// colours of a grey picture into one channel, and a twofold enlargement into the kernel.
void adapt_stem(ModelFile& model) {
  const NetworkConfig& config = model.info.network;
  torch::Tensor weight = model.weights.at("stem.weight").to(torch::kDouble);
  // What is subtracted from all channels alike; the rest of each one's mean goes on below.
  const double common = (kMean[0] + kMean[1] + kMean[2]) / 3;
  torch::Tensor rest = torch::zeros({weight.size(0)}, torch::kDouble);
  for (std::int64_t c = 0; c < 3; ++c) {
    rest +=
        weight.select(1, c).sum({1, 2}) * ((common - kMean[static_cast<std::size_t>(c)]) / kScale);
  }
  torch::Tensor& bias = model.weights.at("stem_bn.bias");
  bias = bias + model.weights.at("stem_bn.weight") * rest.to(torch::kFloat);
  if (config.channels == 1) weight = weight.sum(1, /*keepdim=*/true);
  if (config.stem_kernel != weight.size(2)) {
    const torch::Tensor share = enlarging(weight.size(2));
    weight = torch::matmul(torch::matmul(share.t(), weight), share);
  }
  model.weights["stem.weight"] = weight.to(torch::kFloat).contiguous();
  model.info.mean = static_cast<float>(common / 255);
  model.info.stddev = static_cast<float>(kScale / 255);
}

}  // namespace

NetworkConfig face_network_config(const CropFormat& crops) {
  NetworkConfig config = network_preset("facenet");
  config.input_size = crops.side;
  config.channels = crops.channels;
  if (crops.side >= kEnlargeBelow) {
    config.stem_kernel = 7;
    config.stem_stride = 2;
    config.widths.push_back(256);
    config.depths.push_back(1);
    config.strides.push_back(2);
  }
  while (!config.widths.empty() && map_sides(config).stages.back() < 1) {
    config.widths.pop_back();
    config.depths.pop_back();
    config.strides.pop_back();
  }
  config.check();
  return config;
}

ModelFile face_network(const PublishedFaceNetwork& published, const CropFormat& crops) {
  ModelFile model;
  model.info.network = face_network_config(crops);
  model.info.align_template = crops.align_template;
  std::vector<std::pair<std::string, std::string>> names{{"stem", "stem_bn"}};
  const NetworkConfig& config = model.info.network;
  for (std::size_t stage = 0; stage < config.widths.size(); ++stage) {
    for (int i = 0; i < config.depths[stage]; ++i) {
      const std::string block = block_name(stage, i);
      names.emplace_back(block + ".conv1", block + ".bn1");
      names.emplace_back(block + ".conv2", block + ".bn2");
    }
  }
  if (published.convs.size() < names.size()) {
    throw std::runtime_error("expected a network of at least " + std::to_string(names.size()) +
                             " convolutions, found " + std::to_string(published.convs.size()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    put(model, names[i].first, names[i].second, published.convs[i]);
  }
  adapt_stem(model);
  for (const auto& [name, expected] : network_layout(config)) {
    if (is_of_head(name)) continue;
    if (model.weights.at(name).sizes() != at::IntArrayRef(expected))
      throw std::runtime_error("the published layers do not fit the plan: " + name);
  }
  return model;
}

}  // namespace fer
