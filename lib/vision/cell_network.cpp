#include "vision/cell_network.h"

#include <utility>

#include "vision/face_cells.h"

namespace fer {
namespace {

class OpenCvCells final : public CellNetwork {
 public:
  OpenCvCells(cv::dnn::Net network, std::vector<std::string> outputs)
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
bool agree(CellNetwork& one, CellNetwork& other) {
  const int shape[] = {1, 1, kLeastInputSide, 3 * kLargestStride};
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

OpenedCells open_cells(cv::dnn::Net network, const std::vector<std::string>& outputs) {
#ifdef HAVE_ONEDNN
  const std::optional<CellLayers> layers = cell_layers(network, outputs);
#endif
  auto by_opencv = std::make_unique<OpenCvCells>(std::move(network), outputs);
#ifdef HAVE_ONEDNN
  if (layers) {
    try {
      auto by_onednn = make_onednn_cells(*layers);
      if (agree(*by_opencv, *by_onednn))
        return {std::move(by_onednn), std::make_shared<const CellLayers>(*layers)};
    } catch (const std::exception&) {
      // A processor or a release of oneDNN without such a kernel: OpenCV runs anywhere.
    }
  }
#endif
  return {std::move(by_opencv), nullptr};
}

}  // namespace fer
