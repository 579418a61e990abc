// Our own detector's layers, read from OpenCV's network.
#pragma once

#include <opencv2/dnn.hpp>
#include <optional>
#include <string>
#include <vector>

#include "vision/grid_layer.h"

namespace fer {

/// nullopt where a layer is of a kind that is not known here, as in other people's networks. To be
/// asked before the network has run for the first time, which lets OpenCV change its layers.
std::optional<GridLayers> grid_layers(cv::dnn::Net& network,
                                      const std::vector<std::string>& outputs);

}  // namespace fer
