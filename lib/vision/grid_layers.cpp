#include "vision/grid_layers.h"

#include <algorithm>
#include <map>
#include <opencv2/dnn/all_layers.hpp>

namespace fer {
namespace {

bool all_are(const std::vector<std::size_t>& values, std::size_t wanted) {
  return std::all_of(values.begin(), values.end(), [&](std::size_t v) { return v == wanted; });
}

/// False where it is not of our kind.
bool read_conv(cv::dnn::Layer& layer, GridLayer& conv) {
  const auto* shape = dynamic_cast<const cv::dnn::BaseConvolutionLayer*>(&layer);
  if (!shape || layer.blobs.size() != 2 || layer.blobs[0].dims != 4 ||
      layer.blobs[0].type() != CV_32F || layer.blobs[1].type() != CV_32F)
    return false;
  const cv::Mat &weight = layer.blobs[0], &bias = layer.blobs[1];
  if (!weight.isContinuous() || !bias.isContinuous()) return false;
  conv.weight.assign(weight.ptr<float>(), weight.ptr<float>() + weight.total());
  conv.bias.assign(bias.ptr<float>(), bias.ptr<float>() + bias.total());
  conv.out = weight.size[0];
  conv.in = weight.size[1];
  conv.kernel = weight.size[2];
  if (shape->strides.size() != 2 || shape->pads_begin.size() != 2) return false;
  conv.stride = static_cast<int>(shape->strides[0]);
  conv.pad = static_cast<int>(shape->pads_begin[0]);
  return weight.size[3] == conv.kernel && shape->padMode.empty() && conv.whole() &&
         all_are(shape->strides, shape->strides[0]) && all_are(shape->dilations, 1) &&
         all_are(shape->pads_begin, shape->pads_begin[0]) &&
         all_are(shape->pads_end, shape->pads_begin[0]);
}

}  // namespace

std::optional<GridLayers> grid_layers(cv::dnn::Net& network,
                                      const std::vector<std::string>& outputs) {
  GridLayers read;
  std::map<std::string, int> values{{"_input", 0}};
  std::vector<int> uses{0};  // Of each value.
  for (const std::string& name : network.getLayerNames()) {
    const int id = network.getLayerId(name);
    const cv::Ptr<cv::dnn::Layer> layer = network.getLayer(id);
    std::vector<int> inputs;
    for (const cv::Ptr<cv::dnn::Layer>& input : network.getLayerInputs(id)) {
      const auto it = values.find(input->name);
      if (it == values.end()) return std::nullopt;
      inputs.push_back(it->second);
    }
    if (inputs.empty() || inputs.size() > 2) return std::nullopt;
    GridLayer next;
    next.input = inputs[0];
    if (layer->type == "Identity" && inputs.size() == 1) {
      values[name] = inputs[0];
      continue;
    }
    if (layer->type == "ReLU" && inputs.size() == 1 && inputs[0] > 0 &&
        uses[static_cast<std::size_t>(inputs[0])] == 0) {
      // Nobody looks at it before its negative values are gone, or the check of the whole fails.
      read.layers[static_cast<std::size_t>(inputs[0] - 1)].relu = true;
      values[name] = inputs[0];
      continue;
    }
    if (layer->type == "Convolution" && inputs.size() == 1) {
      if (!read_conv(*layer, next)) return std::nullopt;
    } else if (layer->type == "Resize" && inputs.size() == 1) {
      next.kind = GridLayer::kEnlarge;
    } else if ((layer->type == "Eltwise" || layer->type == "NaryEltwise") && inputs.size() == 2) {
      next.kind = GridLayer::kAdd;
      next.other = inputs[1];
    } else {
      return std::nullopt;
    }
    for (const int input : inputs) ++uses[static_cast<std::size_t>(input)];
    read.layers.push_back(next);
    uses.push_back(0);
    values[name] = static_cast<int>(read.layers.size());
  }
  for (const std::string& name : outputs) {
    const auto it = values.find(name);
    if (it == values.end() || it->second == 0) return std::nullopt;
    read.outputs.push_back(it->second);
  }
  return read;
}

}  // namespace fer
