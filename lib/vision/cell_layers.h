// What our own detector's network is made of, read from OpenCV's.
#pragma once

#include <opencv2/dnn.hpp>
#include <optional>
#include <string>
#include <vector>

namespace fer {

/// One step over maps of features, N x C x H x W.
struct CellLayer {
  enum Kind {
    kConv,     ///< Square, the same padding on all sides, either dense or a filter a channel.
    kEnlarge,  ///< Twofold, the nearest pixel.
    kAdd,      ///< Two maps of one shape.
  };
  Kind kind = kConv;
  int input = 0, other = -1;  ///< Values: 0 is the network's input, i + 1 what layer i makes.
  bool relu = false;          ///< Negative values become 0 at last.
  cv::Mat weight;  ///< kConv: out x in (1 for a filter a channel) x kernel x kernel, fp32.
  cv::Mat bias;    ///< kConv: `out` values, fp32.
  int out = 0, kernel = 1, stride = 1, pad = 0;
  bool a_channel = false;  ///< kConv: a filter a channel.
};

struct CellLayers {
  std::vector<CellLayer> layers;
  std::vector<int> outputs;  ///< Values, in the order that was asked for.
};

/// nullopt where a layer is of a kind that is not known here, as in other people's networks. To be
/// asked before the network has run for the first time, which lets OpenCV change its layers.
std::optional<CellLayers> cell_layers(cv::dnn::Net& network,
                                      const std::vector<std::string>& outputs);

}  // namespace fer
