// Our own detector's network, by whichever library runs it best.
#pragma once

#include <memory>
#include <opencv2/dnn.hpp>
#include <string>
#include <vector>

#include "vision/grid_layers.h"

namespace fer {

/// Not thread-safe.
class GridNetwork {
 public:
  virtual ~GridNetwork() = default;
  /// `input`: 1 x 1 x H x W, fp32. `outputs`: maps 1 x C x h x w, fp32, in the order in which they
  /// were asked for; they are the network's, until it runs again.
  virtual void run(const cv::Mat& input, std::vector<cv::Mat>& outputs) = 0;
  /// Of the library.
  virtual std::string name() const = 0;
};

/// A network that can be run, and where its layers are known and were found to be what OpenCV runs,
/// these too, for who runs them elsewhere; else null.
struct OpenedGrid {
  std::unique_ptr<GridNetwork> network;
  std::shared_ptr<const GridLayers> layers;
};

/// By oneDNN where this build has it and the network's layers are known to it, and both libraries
/// say the same of a picture of noise; else by OpenCV. Throws cv::Exception where OpenCV cannot run
/// it.
OpenedGrid open_grid(cv::dnn::Net network, const std::vector<std::string>& outputs);

/// Runs the layers by oneDNN, on the calling thread alone.
std::unique_ptr<GridNetwork> make_onednn_grid(const GridLayers& layers);

}  // namespace fer
