// The project's own detector: one grey channel, which lies in video as it is wanted.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "vision/cell_network.h"
#include "vision/face_cells.h"
#include "vision/network_detector.h"
#include "vision/read_region.h"

namespace fer {
namespace {

/// Names of the outputs, in the order of kCellStrides.
std::vector<std::string> output_names() {
  std::vector<std::string> names;
  for (const int stride : kCellStrides) names.push_back("faces_" + std::to_string(stride));
  return names;
}

/// Empty where outputs for an input of this size have the shapes that they must have, else what is
/// wrong with them.
std::string wrong_shape(const std::vector<cv::Mat>& outputs, cv::Size input) {
  for (std::size_t i = 0; i < kCellStrides.size(); ++i) {
    const cv::Mat& output = outputs.at(i);
    const std::array shape{1, kCellValues, input.height / kCellStrides[i],
                           input.width / kCellStrides[i]};
    if (output.dims != 4 || output.type() != CV_32F || !output.isContinuous() ||
        !std::equal(shape.begin(), shape.end(), output.size.p)) {
      return "a network whose output " + output_names()[i] + " is not " +
             std::to_string(kCellValues) + " values for every cell of " +
             std::to_string(kCellStrides[i]) + " x " + std::to_string(kCellStrides[i]) + " pixels";
    }
  }
  return {};
}

Face face_of(const CellFace& cell) {
  Face face;
  face.box = {cell.x, cell.y, cell.width, cell.height};
  face.score = cell.score;
  Landmarks& landmarks = face.landmarks.emplace();
  for (std::size_t k = 0; k < landmarks.size(); ++k)
    landmarks[k] = {cell.points[2 * k], cell.points[2 * k + 1]};
  return face;
}

class CellDetector final : public Detector {
 public:
  explicit CellDetector(std::unique_ptr<CellNetwork> network) : network_(std::move(network)) {}

  std::vector<Face> detect(const FrameView& frame, const DetectorConfig& config) override {
    check_frame(frame);
    const cv::Size size = detection_size(frame, config);
    read_region(frame, {0, 0, frame.width, frame.height}, size, Colour::kGrey, picture_);
    fill_blob();
    const cv::Size input(blob_.size[3], blob_.size[2]);
    network_->run(blob_, outputs_);
    if (const std::string wrong = wrong_shape(outputs_, input); !wrong.empty())
      throw std::runtime_error("face detector: " + wrong);
    guesses_.clear();
    for (std::size_t i = 0; i < kCellStrides.size(); ++i) {
      decode_cells(outputs_[i].ptr<float>(), outputs_[i].size[2], outputs_[i].size[3],
                   kCellStrides[i], config.score_threshold, guesses_);
    }
    std::vector<Face> faces;
    for (const CellFace& cell : best_cells(guesses_)) faces.push_back(face_of(cell));
    to_frame_pixels(frame, size, faces);
    finish_faces(frame, config, faces);
    return faces;
  }

  std::string name() const override { return "fer"; }

 private:
  /// The picture in the upper left corner of a blob whose sides are multiples of the largest
  /// stride; the rest is black.
  void fill_blob() {
    const cv::Rect now({}, picture_.size());
    const int shape[] = {1, 1, padded_side(now.height, kLargestStride, kLeastInputSide),
                         padded_side(now.width, kLargestStride, kLeastInputSide)};
    const bool same = blob_.dims == 4 && std::equal(shape, shape + 4, blob_.size.p);
    if (!same || now != filled_) {
      blob_.create(4, shape, CV_32F);
      blob_.setTo(0);
      filled_ = now;
    }
    cv::Mat plane(shape[2], shape[3], CV_32F, blob_.ptr<float>());
    picture_.convertTo(plane(now), CV_32F);
  }

  const std::unique_ptr<CellNetwork> network_;
  cv::Mat picture_;
  cv::Mat blob_;
  cv::Rect filled_;  ///< The part of the blob that is not black by design.
  std::vector<cv::Mat> outputs_;
  std::vector<CellFace> guesses_;
};

}  // namespace

std::unique_ptr<Detector> make_cell_detector(cv::dnn::Net network) {
  std::vector<std::string> names = network.getUnconnectedOutLayersNames(), wanted = output_names();
  std::sort(names.begin(), names.end());
  std::sort(wanted.begin(), wanted.end());
  if (names != wanted) return nullptr;
  auto cells = make_cell_network(std::move(network), output_names());
  // Of a size that no stride divides by chance into the same shapes.
  const cv::Size input(3 * kLargestStride, kLeastInputSide);
  const int shape[] = {1, 1, input.height, input.width};
  std::vector<cv::Mat> outputs;
  cells->run(cv::Mat(4, shape, CV_32F, cv::Scalar(0)), outputs);
  if (const std::string wrong = wrong_shape(outputs, input); !wrong.empty())
    throw std::runtime_error(wrong);
  return std::make_unique<CellDetector>(std::move(cells));
}

}  // namespace fer
