#include "import/served_detector.h"

#include <algorithm>
#include <opencv2/dnn.hpp>
#include <opencv2/dnn/all_layers.hpp>
#include <stdexcept>
#include <vector>

#include "util/read_file.h"
#include "util/sha256.h"
#include "vision/detection_grid.h"
#include "vision/onnx_checksum.h"

namespace fer {
namespace {

constexpr std::size_t kVersionDigits = 12;

/// The network's convolutions in the order of computation.
std::vector<FoldedConv> convs_of(const cv::dnn::Net& network) {
  std::vector<FoldedConv> convs;
  for (const std::string& name : network.getLayerNames()) {
    const cv::Ptr<cv::dnn::Layer> layer = network.getLayer(network.getLayerId(name));
    const auto shape = layer.dynamicCast<cv::dnn::BaseConvolutionLayer>();
    if (!shape) continue;
    if (layer->blobs.size() != 2 || layer->blobs[0].dims != 4 || shape->strides.empty())
      throw std::runtime_error("a convolution without weights or bias");
    const cv::Mat &weight = layer->blobs[0], &bias = layer->blobs[1];
    FoldedConv conv;
    conv.out = weight.size[0];
    conv.kernel = weight.size[2];
    conv.stride = static_cast<int>(shape->strides[0]);
    conv.in = weight.size[1];  // Of one filter, until the groups are known.
    conv.weight.assign(weight.ptr<float>(), weight.ptr<float>() + weight.total());
    conv.bias.assign(bias.ptr<float>(), bias.ptr<float>() + bias.total());
    convs.push_back(std::move(conv));
  }
  return convs;
}

/// The shape of a network of ours with these convolutions. Blocks end where the laterals begin,
/// which follow no depthwise convolution.
DetectorNetConfig config_of(const std::vector<FoldedConv>& convs) {
  DetectorNetConfig config;
  if (convs.empty()) throw std::runtime_error("a network without convolutions");
  config.stem_width = convs[0].out;
  config.stem_kernel = convs[0].kernel;
  config.stem_stride = convs[0].stride;
  config.depths = {0, 0, 0};
  int at = config.stem_stride;
  for (std::size_t i = 1; i + 1 < convs.size() && convs[i].in == 1; i += 2) {
    at *= convs[i].stride;
    const auto level = std::find(kCellStrides.begin(), kCellStrides.end(), std::max(at, 8));
    if (level == kCellStrides.end()) throw std::runtime_error("a network of other strides");
    const auto l = static_cast<std::size_t>(level - kCellStrides.begin());
    ++config.depths[l];
    config.widths[l] = convs[i + 1].out;
    config.kernels[l] = convs[i].kernel;
  }
  config.check();
  return config;
}

/// Names of the convolutions in the order in which to_onnx() writes them: the neck's stand before
/// all heads, the coarsest first.
std::vector<DetectorConv> written_order(const DetectorNetConfig& config) {
  std::vector<DetectorConv> stem, neck, heads;
  for (const DetectorConv& conv : detector_convs(config)) {
    if (conv.name.starts_with("lateral")) {
      neck.insert(neck.begin(), conv);
    } else {
      (conv.name.starts_with("head") || conv.name.starts_with("out") ? heads : stem)
          .push_back(conv);
    }
  }
  stem.insert(stem.end(), neck.begin(), neck.end());
  stem.insert(stem.end(), heads.begin(), heads.end());
  return stem;
}

ServedDetector served(const std::string& bytes) {
  if (check_onnx(bytes) != OnnxChecksum::kRight)
    throw std::runtime_error("no file that fer export wrote, or a changed one");
  std::vector<FoldedConv> convs;
  try {
    convs = convs_of(cv::dnn::readNetFromONNX(bytes.data(), bytes.size()));
  } catch (const cv::Exception& error) {
    throw std::runtime_error("a file that OpenCV cannot read (" + error.err + ")");
  }
  ServedDetector made{config_of(convs), {}, sha256(bytes).substr(0, kVersionDigits)};
  const std::vector<DetectorConv> order = written_order(made.config);
  if (order.size() != convs.size()) throw std::runtime_error("a network of another shape");
  for (std::size_t i = 0; i < order.size(); ++i) {
    FoldedConv& conv = convs[i];
    conv.groups = order[i].groups;
    conv.in *= conv.groups;
    if (conv.in != order[i].in || conv.out != order[i].out || conv.kernel != order[i].kernel ||
        conv.stride != order[i].stride)
      throw std::runtime_error("a network in which " + order[i].name + " has another shape");
    made.convs[order[i].name] = std::move(conv);
  }
  return made;
}

}  // namespace

ServedDetector read_served_detector(const std::filesystem::path& path) {
  try {
    return served(read_file(path, std::size_t{64} << 20));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(path.string() +
                             ": expected a face detector that fer export --onnx made, found " +
                             error.what());
  }
}

}  // namespace fer
