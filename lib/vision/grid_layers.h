// Reads our own detector's layers from OpenCV's network.
#pragma once

#include <opencv2/dnn.hpp>
#include <optional>
#include <string>
#include <vector>

#include "vision/grid_layer.h"

namespace fer {

/// The network's layers; nullopt where one is of a kind that GridLayer does not have, as in other
/// people's networks. Call it before the network runs for the first time: OpenCV changes layers
/// then.
std::optional<GridLayers> grid_layers(cv::dnn::Net& network,
                                      const std::vector<std::string>& outputs);

}  // namespace fer
