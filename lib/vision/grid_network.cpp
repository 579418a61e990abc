#include "vision/grid_network.h"

#include <utility>

#include "vision/detection_grid.h"

namespace fer {
namespace {

class OpenCvGrid final : public GridNetwork {
 public:
  OpenCvGrid(cv::dnn::Net network, std::vector<std::string> outputs)
      : network_(std::move(network)), names_(std::move(outputs)) {}

  void run(const cv::Mat& input, std::vector<cv::Mat>& outputs) override {
    network_.setInput(input);
    network_.forward(outputs, names_);
  }
  std::string name() const override { return "OpenCV " CV_VERSION; }

 private:
  cv::dnn::Net network_;
  const std::vector<std::string> names_;
};

#ifdef HAVE_ONEDNN
/// Whether both say the same of noise, of a size that no stride divides by chance into the same
/// shapes. OpenCV's reading of the file is the one that everybody has looked at.
bool agree(GridNetwork& one, GridNetwork& other) {
  const int shape[] = {1, 1, kMinInputSide, 3 * kLargestStride};
  cv::Mat noise(4, shape, CV_32F);
  cv::RNG(1).fill(noise, cv::RNG::UNIFORM, 0, 255);
  std::vector<cv::Mat> a, b;
  one.run(noise, a);
  other.run(noise, b);
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].size != b[i].size) return false;
    const double scale = 1 + cv::norm(a[i], cv::NORM_INF);
    if (!(cv::norm(a[i], b[i], cv::NORM_INF) <= 1e-3 * scale)) return false;
  }
  return true;
}
#endif

}  // namespace

OpenedGrid open_grid(cv::dnn::Net network, const std::vector<std::string>& outputs) {
#ifdef HAVE_ONEDNN
  const std::optional<GridLayers> layers = grid_layers(network, outputs);
#endif
  auto by_opencv = std::make_unique<OpenCvGrid>(std::move(network), outputs);
#ifdef HAVE_ONEDNN
  if (layers) {
    try {
      auto by_onednn = make_onednn_grid(*layers);
      if (agree(*by_opencv, *by_onednn))
        return {std::move(by_onednn), std::make_shared<const GridLayers>(*layers)};
    } catch (const std::exception&) {
      // A processor or a release of oneDNN without such a kernel: OpenCV runs anywhere.
    }
  }
#endif
  return {std::move(by_opencv), nullptr};
}

}  // namespace fer
