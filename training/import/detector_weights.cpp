#include "import/detector_weights.h"

#include <torch/torch.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#ifdef HAVE_VISION
#include "import/served_detector.h"
#endif

namespace fer {
namespace {

#ifdef HAVE_VISION
torch::Tensor tensor_of(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return torch::tensor(values).reshape(shape);
}

/// The weights of a network in which each batch norm scales by one, so that it computes the same.
DetectorFile unfolded(const ServedDetector& served) {
  DetectorFile file;
  file.info.network = served.config;
  file.info.operating_score = kServedScore;
  file.info.version = served.version;
  const auto layout = detector_layout(served.config);
  const double eps = torch::nn::BatchNormOptions(1).eps();
  for (const DetectorConv& conv : detector_convs(served.config)) {
    const FoldedConv& from = served.convs.at(conv.name);
    torch::Tensor weight = tensor_of(from.weight, layout.at(conv.name + ".weight"));
    // The network divides the pixel values by 255 itself.
    if (conv.name == "stem") weight = weight * 255;
    file.weights[conv.name + ".weight"] = weight;
    const torch::Tensor bias = tensor_of(from.bias, {conv.out});
    if (conv.norm.empty()) {
      file.weights[conv.name + ".bias"] = bias;
      continue;
    }
    file.weights[conv.norm + ".weight"] = torch::full({conv.out}, std::sqrt(1 + eps));
    file.weights[conv.norm + ".bias"] = bias;
    file.weights[conv.norm + ".running_mean"] = torch::zeros({conv.out});
    file.weights[conv.norm + ".running_var"] = torch::ones({conv.out});
  }
  return file;
}
#endif

}  // namespace

DetectorFile read_detector_weights(const std::filesystem::path& path) {
  if (path.extension() != ".onnx") return read_detector(path);
#ifdef HAVE_VISION
  return unfolded(read_served_detector(path));
#else
  throw std::runtime_error(path.string() +
                           ": this program was built without OpenCV and reads no ONNX; name a "
                           "detector's .fer");
#endif
}

}  // namespace fer
