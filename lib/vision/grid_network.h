// Our own detector's network, run by oneDNN or OpenCV.
#pragma once

#include <memory>
#include <opencv2/dnn.hpp>
#include <string>
#include <vector>

#include "vision/grid_layers.h"

namespace fer {

/// The network behind one interface. Not thread-safe.
class GridNetwork {
 public:
  virtual ~GridNetwork() = default;
  /// `input`: 1 x 1 x H x W, fp32. `outputs`: maps 1 x C x h x w, fp32, in the order in which they
  /// were asked for; they share the network's memory until it runs again.
  virtual void run(const cv::Mat& input, std::vector<cv::Mat>& outputs) = 0;
  /// The library's name.
  virtual std::string name() const = 0;
};

/// A network, and its layers for callers that run them elsewhere. The layers are null where they
/// are unknown, or give other results than OpenCV's network.
struct OpenedGrid {
  std::unique_ptr<GridNetwork> network;
  std::shared_ptr<const GridLayers> layers;
};

/// Opens the network with oneDNN where this build has it, the layers are known, and both libraries
/// give the same results for a picture of noise; else with OpenCV. Throws cv::Exception where
/// OpenCV cannot run it.
OpenedGrid open_grid(cv::dnn::Net network, const std::vector<std::string>& outputs);

/// A network that runs the layers by oneDNN, on the calling thread alone.
std::unique_ptr<GridNetwork> make_onednn_grid(const GridLayers& layers);

}  // namespace fer
