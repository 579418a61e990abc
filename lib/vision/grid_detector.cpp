// The project's own detector: one grey channel, which lies in video as it is wanted.
#include <algorithm>
#include <array>
#include <cmath>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "vision/detection_grid.h"
#include "vision/frame_memory.h"
#include "vision/grid_network.h"
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

GridCandidate scaled(GridCandidate cell, float factor) {
  for (float* value : {&cell.x, &cell.y, &cell.width, &cell.height}) *value *= factor;
  for (float& value : cell.points) value *= factor;
  return cell;
}

/// A score whose logit is less by `step`.
float less_sure(float score, float step) {
  return score / (score + (1 - score) * std::exp(step));
}

Face face_of(const GridCandidate& cell) {
  Face face;
  face.box = {cell.x, cell.y, cell.width, cell.height};
  face.score = cell.score;
  Landmarks& landmarks = face.landmarks.emplace();
  for (std::size_t k = 0; k < landmarks.size(); ++k)
    landmarks[k] = {cell.points[2 * k], cell.points[2 * k + 1]};
  return face;
}

/// Heights in pixels of the picture: below the first the network misses many faces, below the
/// second a closer look still shows better where they are.
constexpr float kSmallFace = 48, kSeenBetterCloser = 96;

/// A closer look is at a picture larger by this factor; by less where its longer side would be
/// beyond kLargestLook, and not at all where that leaves little.
constexpr double kCloser = 2, kMinCloser = 1.25;
constexpr int kLargestLook = 2048;

/// Two pictures bring two chances of a false alarm: what is taken from the scores' logits then.
/// Chosen, as the heights above, on photos that were not trained on (docs/explanation/detector.md).
constexpr float kTwoLooks = 0.2f;

/// Of the picture for a closer look at one of this size; nothing where there is none.
std::optional<cv::Size> closer_size(cv::Size size) {
  const double factor =
      std::min(kCloser, static_cast<double>(kLargestLook) / std::max(size.width, size.height));
  if (factor < kMinCloser) return std::nullopt;
  return cv::Size(cvRound(size.width * factor), cvRound(size.height * factor));
}

/// The network's input for frames of one size, made anew where that changes.
class InputBlob {
 public:
  /// The frame as a picture of `size` in the upper left corner of a blob whose sides are multiples
  /// of the largest stride; the rest is black.
  const cv::Mat& at(const FrameView& frame, cv::Size size) {
    read_shown(frame, size, Colour::kGrey, picture_);
    const cv::Rect now({}, size);
    const int shape[] = {1, 1, padded_side(now.height, kLargestStride, kMinInputSide),
                         padded_side(now.width, kLargestStride, kMinInputSide)};
    const bool same = blob_.dims == 4 && std::equal(shape, shape + 4, blob_.size.p);
    if (!same || now != filled_) {
      blob_.create(4, shape, CV_32F);
      blob_.setTo(0);
      filled_ = now;
    }
    cv::Mat plane(shape[2], shape[3], CV_32F, blob_.ptr<float>());
    picture_.convertTo(plane(now), CV_32F);
    return blob_;
  }
  const cv::Mat& picture() const { return picture_; }

 private:
  cv::Mat picture_;
  cv::Mat blob_;
  cv::Rect filled_;  ///< The part of the blob that is not black by design.
};

/// Inputs of the sizes that are looked at in turns: a stream's, that of the closer look, and those
/// of one face.
class InputBlobs {
 public:
  InputBlob& of(cv::Size size) {
    const auto known = std::find_if(blobs_.begin(), blobs_.end(),
                                    [&](const Sized& one) { return one.size == size; });
    if (known != blobs_.end()) {
      blobs_.splice(blobs_.begin(), blobs_, known);
    } else {
      blobs_.push_front({size, {}});
      if (blobs_.size() > kKept) blobs_.pop_back();
    }
    return blobs_.front().blob;
  }

 private:
  static constexpr std::size_t kKept = 4;
  struct Sized {
    cv::Size size;
    InputBlob blob;
  };
  std::list<Sized> blobs_;  ///< The one that was asked for last first.
};

class GridDetector final : public Detector {
 public:
  explicit GridDetector(OpenedGrid cells)
      : network_(std::move(cells.network)), layers_(std::move(cells.layers)) {}

  std::vector<Face> detect(const FrameView& frame, const DetectorConfig& config) override {
    check_frame(frame);
    const cv::Size size = detection_size(frame, config);
    guesses_.clear();
    picture_ = guess(frame, size, config.score_threshold);
    if (const auto closer = closer_size(size); config.small_faces && closer) {
      std::vector<GridCandidate> seen = std::exchange(guesses_, {});
      guess(frame, *closer, config.score_threshold);
      const float back = static_cast<float>(size.width) / static_cast<float>(closer->width);
      for (const GridCandidate& face : guesses_)
        if (face.height * back < kSeenBetterCloser) seen.push_back(scaled(face, back));
      guesses_ = std::move(seen);
      for (GridCandidate& face : guesses_) face.score = less_sure(face.score, kTwoLooks);
    }
    std::vector<Face> faces;
    for (const GridCandidate& cell : best_candidates(guesses_)) faces.push_back(face_of(cell));
    to_frame_pixels(frame, size, faces);
    finish_faces(frame, config, faces);
    return faces;
  }

  float small_face() const override { return kSmallFace; }

  const cv::Mat* picture() const override { return picture_.empty() ? nullptr : &picture_; }

  std::string name() const override { return "fer"; }

 private:
  /// Appends what the network says of the frame as a picture of `size`, in its pixels. Where the
  /// frame lies on a device, that is done there if it can be. Returns the picture that it looked at
  /// here.
  cv::Mat guess(const FrameView& frame, cv::Size size, float min_score) {
    if (frame.memory && layers_ && frame.orientation == Orientation::kIdentity &&
        frame.memory->find_cells(frame, size.width, size.height, layers_, min_score, guesses_))
      return {};
    InputBlob& look = blobs_.of(size);
    const cv::Mat& input = look.at(frame, size);
    network_->run(input, outputs_);
    if (const std::string wrong = wrong_shape(outputs_, {input.size[3], input.size[2]});
        !wrong.empty())
      throw std::runtime_error("face detector: " + wrong);
    for (std::size_t i = 0; i < kCellStrides.size(); ++i) {
      decode_cells(outputs_[i].ptr<float>(), outputs_[i].size[2], outputs_[i].size[3],
                   kCellStrides[i], min_score, guesses_);
    }
    return look.picture();
  }

  const std::unique_ptr<GridNetwork> network_;
  const std::shared_ptr<const GridLayers> layers_;  ///< Null: unknown.
  InputBlobs blobs_;
  cv::Mat picture_;
  std::vector<cv::Mat> outputs_;
  std::vector<GridCandidate> guesses_;
};

}  // namespace

std::unique_ptr<Detector> make_grid_detector(cv::dnn::Net network) {
  std::vector<std::string> names = network.getUnconnectedOutLayersNames(), wanted = output_names();
  std::sort(names.begin(), names.end());
  std::sort(wanted.begin(), wanted.end());
  if (names != wanted) return nullptr;
  OpenedGrid cells = open_grid(std::move(network), output_names());
  // Of a size that no stride divides by chance into the same shapes.
  const cv::Size input(3 * kLargestStride, kMinInputSide);
  const int shape[] = {1, 1, input.height, input.width};
  std::vector<cv::Mat> outputs;
  cells.network->run(cv::Mat(4, shape, CV_32F, cv::Scalar(0)), outputs);
  if (const std::string wrong = wrong_shape(outputs, input); !wrong.empty())
    throw std::runtime_error(wrong);
  return std::make_unique<GridDetector>(std::move(cells));
}

}  // namespace fer
