#include "import/dlib_network.h"

#include <dlib/dnn.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace fer {
namespace {

// The plan of the published network: dlib reads a file only into a type that spells it out.
// dlib/dnn_face_recognition_ex.cpp describes it; see docs for the sizes.
template <int kOut, int kStride, int kPad, typename Below>
using ScaledConv =
    dlib::affine<dlib::add_layer<dlib::con_<kOut, 3, 3, kStride, kStride, kPad, kPad>, Below>>;
template <int kOut, typename Below>
using Keeps = dlib::relu<
    dlib::add_prev1<ScaledConv<kOut, 1, 1, dlib::relu<ScaledConv<kOut, 1, 1, dlib::tag1<Below>>>>>>;
template <int kOut, typename Below>
using Shrinks = dlib::relu<dlib::add_prev2<
    dlib::avg_pool<2, 2, 2, 2,
                   dlib::skip1<dlib::tag2<ScaledConv<
                       kOut, 1, 1, dlib::relu<ScaledConv<kOut, 2, 0, dlib::tag1<Below>>>>>>>>>;
template <typename Below>
using Stem = dlib::max_pool<3, 3, 2, 2, dlib::relu<dlib::affine<dlib::con<32, 7, 7, 2, 2, Below>>>>;
template <typename Below>
using Level4 = Keeps<32, Keeps<32, Keeps<32, Below>>>;
template <typename Below>
using Level3 = Keeps<64, Keeps<64, Keeps<64, Shrinks<64, Below>>>>;
template <typename Below>
using Level2 = Keeps<128, Keeps<128, Shrinks<128, Below>>>;
template <typename Below>
using Level1 = Keeps<256, Keeps<256, Shrinks<256, Below>>>;
template <typename Below>
using Level0 = Shrinks<256, Below>;
using DlibNetwork = dlib::loss_metric<dlib::fc_no_bias<
    128, dlib::avg_pool_everything<
             Level0<Level1<Level2<Level3<Level4<Stem<dlib::input_rgb_image_sized<150>>>>>>>>>>;

/// Collects the convolutions, output first, as dlib visits layers.
class Collector {
 public:
  explicit Collector(PublishedFaceNetwork& network) : network_(network) {}

  template <typename Layer>
  void operator()(std::size_t, Layer& layer) {
    take(layer);
  }

 private:
  template <typename Below>
  void take(dlib::add_layer<dlib::affine_, Below>& layer) {
    // dlib shows neither scale nor shift: they are what the layer makes of ones and of zeros.
    auto& conv = layer.subnet().layer_details();
    const long channels = conv.num_filters();
    PublishedConv published;
    published.out = static_cast<int>(channels);
    published.kernel = static_cast<int>(conv.nr());
    published.shift = made_of(layer.layer_details(), channels, 0.f);
    published.scale = made_of(layer.layer_details(), channels, 1.f);
    for (std::size_t c = 0; c < published.scale.size(); ++c)
      published.scale[c] -= published.shift[c];
    const dlib::tensor& values = conv.get_layer_params();
    const float* data = values.host();
    const auto out = static_cast<std::size_t>(channels);
    const std::size_t weights = values.size() - out;
    published.weight.assign(data, data + weights);
    published.bias.assign(data + weights, data + weights + out);
    published.in = static_cast<int>(weights / out) / (published.kernel * published.kernel);
    network_.convs.push_back(std::move(published));
  }
  template <typename Below>
  void take(dlib::add_layer<dlib::fc_<128, dlib::FC_NO_BIAS>, Below>& layer) {
    const dlib::tensor& values = layer.layer_details().get_layer_params();
    network_.embedding.assign(values.host(), values.host() + values.size());
  }
  template <typename Layer>
  void take(Layer&) {}

  static std::vector<float> made_of(dlib::affine_& layer, long channels, float value) {
    dlib::resizable_tensor in(1, channels), out(1, channels);
    in = value;
    layer.forward_inplace(in, out);
    return {out.host(), out.host() + out.size()};
  }

  PublishedFaceNetwork& network_;
};

DlibNetwork open_network(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) throw std::runtime_error(path.string() + ": " + error.message());
  if (bytes != kDlibBytes) {
    throw std::runtime_error(path.string() + ": expected " + kDlibFile + " of " +
                             std::to_string(kDlibBytes) + " bytes, found " + std::to_string(bytes));
  }
  DlibNetwork network;
  try {
    dlib::deserialize(path.string()) >> network;
  } catch (const dlib::serialization_error&) {
    throw std::runtime_error(path.string() + ": expected " + kDlibFile +
                             ", found something else of the same length");
  }
  return network;
}

}  // namespace

bool has_dlib() {
  return true;
}

PublishedFaceNetwork read_dlib_network(const std::filesystem::path& path) {
  DlibNetwork network = open_network(path);
  // Layers learn their shapes from what passes through them.
  dlib::matrix<dlib::rgb_pixel> image(150, 150);
  image = dlib::rgb_pixel(0, 0, 0);
  network(image);
  PublishedFaceNetwork published;
  dlib::visit_layers(network, Collector(published));
  std::reverse(published.convs.begin(), published.convs.end());
  return published;
}

std::vector<float> dlib_descriptor(const std::filesystem::path& path,
                                   std::span<const std::uint8_t> rgb) {
  DlibNetwork network = open_network(path);
  dlib::matrix<dlib::rgb_pixel> image(150, 150);
  constexpr std::size_t kPlane = 150 * 150;
  for (long y = 0; y < 150; ++y) {
    for (long x = 0; x < 150; ++x) {
      const std::size_t at = static_cast<std::size_t>(y * 150 + x);
      image(y, x) = dlib::rgb_pixel(rgb[at], rgb[kPlane + at], rgb[2 * kPlane + at]);
    }
  }
  const dlib::matrix<float, 0, 1> descriptor = network(image);
  return {descriptor.begin(), descriptor.end()};
}

}  // namespace fer
