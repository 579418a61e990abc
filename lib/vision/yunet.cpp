// YuNet (Wu, Peng, Yu 2023) from the OpenCV Zoo. cv::FaceDetectorYN would run it too, but it
// decodes one of the two releases only (which one depends on OpenCV's version), and allocates the
// network's input anew for each frame: 5 MB that a streaming thread's malloc gives back and faults
// in again.
#include <algorithm>
#include <cmath>
#include <opencv2/core/version.hpp>
#include <opencv2/dnn.hpp>
#include <optional>
#include <stdexcept>

#include "vision/detector_backends.h"
#include "vision/read_region.h"
#include "vision/yunet_outputs.h"

namespace fer {
namespace {

constexpr float kOverlap = 0.3f;  // non-maximum suppression, as in the OpenCV Zoo's demo
constexpr int kCandidates = 5000;

// YuNet sees large faces in flat pictures: up to 0.89 in black frames, 0.7 in even grey ones. Over
// 9676 faces found in FER+ the standard deviation of the grey levels in the box is 6.1 at least,
// and 50 in the middle.
constexpr double kLeastContrast = 4;

bool is_flat(const cv::Mat& picture, const cv::Rect2f& box) {
  const cv::Rect inside = cv::Rect(box) & cv::Rect({}, picture.size());
  if (inside.empty()) return true;
  cv::Scalar mean, deviation;
  cv::meanStdDev(picture(inside), mean, deviation);
  return std::max({deviation[0], deviation[1], deviation[2]}) < kLeastContrast;
}

int padded_side(int side) {
  return std::max(kYuNetLeastSide, (side + kYuNetStride - 1) / kYuNetStride * kYuNetStride);
}

/// Lays a picture in BGR out as the network wants it, plane by plane, in the upper left corner of
/// `blob`; the rest, if any, is black.
void fill_blob(const cv::Mat& picture, cv::Mat& blob, cv::Rect& filled) {
  const cv::Rect now({}, picture.size());
  const int shape[] = {1, 3, padded_side(picture.rows), padded_side(picture.cols)};
  const bool same = blob.dims == 4 && std::equal(shape, shape + 4, blob.size.p);
  if (!same || now != filled) {
    blob.create(4, shape, CV_32F);
    blob.setTo(0);
    filled = now;
  }
  for (int y = 0; y < picture.rows; ++y) {
    const auto* pixel = picture.ptr<std::uint8_t>(y);
    auto* blue = blob.ptr<float>(0, 0, y);
    auto* green = blob.ptr<float>(0, 1, y);
    auto* red = blob.ptr<float>(0, 2, y);
    for (int x = 0; x < picture.cols; ++x) {
      blue[x] = pixel[3 * x];
      green[x] = pixel[3 * x + 1];
      red[x] = pixel[3 * x + 2];
    }
  }
}

class YuNet final : public Detector {
 public:
  YuNet(cv::dnn::Net network, YuNetRelease release)
      : network_(std::move(network)), release_(release) {}

  std::vector<Face> detect(const FrameView& frame, const DetectorConfig& config) override;

  std::string name() const override { return "yunet"; }

 private:
  cv::dnn::Net network_;
  YuNetRelease release_;
  cv::Mat picture_;
  cv::Mat blob_;
  cv::Rect filled_;  ///< The part of the blob that is not black by design.
  std::vector<cv::Mat> outputs_;
};

/// Leaves the best guess of each face.
std::vector<Face> best_of(const std::vector<Face>& guesses) {
  std::vector<cv::Rect2d> boxes;
  std::vector<float> scores;
  for (const Face& face : guesses) {
    boxes.emplace_back(face.box);
    scores.push_back(face.score);
  }
  std::vector<int> kept;
  cv::dnn::NMSBoxes(boxes, scores, 0, kOverlap, kept, 1, kCandidates);
  std::vector<Face> faces;
  for (const int i : kept) faces.push_back(guesses[static_cast<std::size_t>(i)]);
  return faces;
}

std::vector<Face> YuNet::detect(const FrameView& frame, const DetectorConfig& config) {
  check_frame(frame);
  const cv::Size size = detection_size(frame, config);
  read_region(frame, {0, 0, frame.width, frame.height}, size, Colour::kBgr, picture_);
  fill_blob(picture_, blob_, filled_);
  const cv::Size input(blob_.size[3], blob_.size[2]);
  network_.setInput(blob_);
  network_.forward(outputs_, yunet_output_names(release_));
  if (const std::string wrong = yunet_wrong_shape(release_, outputs_, input); !wrong.empty()) {
    throw std::runtime_error("YuNet: " + wrong);
  }
  std::vector<Face> faces = best_of(yunet_faces(release_, outputs_, input, config.score_threshold));
  std::erase_if(faces, [&](const Face& face) { return is_flat(picture_, face.box); });

  const float sx = static_cast<float>(frame.width) / static_cast<float>(size.width);
  const float sy = static_cast<float>(frame.height) / static_cast<float>(size.height);
  for (Face& face : faces) {
    face.box = {face.box.x * sx, face.box.y * sy, face.box.width * sx, face.box.height * sy};
    for (cv::Point2f& point : *face.landmarks) point = {point.x * sx, point.y * sy};
  }
  finish_faces(frame, config, faces);
  return faces;
}

/// The release whose outputs the network has; nullopt for another network.
std::optional<YuNetRelease> release_of(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  for (const YuNetRelease release : kYuNetReleases) {
    std::vector<std::string> wanted = yunet_output_names(release);
    std::sort(wanted.begin(), wanted.end());
    if (names == wanted) return release;
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Detector> open_yunet(const std::filesystem::path& model) {
  std::string found;
  try {
    cv::dnn::Net network = cv::dnn::readNetFromONNX(model.string());
    const std::vector<std::string> names = network.getUnconnectedOutLayersNames();
    if (const std::optional<YuNetRelease> release = release_of(names)) {
      const int shape[] = {1, 3, kYuNetLeastSide, kYuNetLeastSide};
      network.setInput(cv::Mat(4, shape, CV_32F, cv::Scalar(0)));
      std::vector<cv::Mat> outputs;
      network.forward(outputs, yunet_output_names(*release));
      found = yunet_wrong_shape(*release, outputs, {kYuNetLeastSide, kYuNetLeastSide});
      if (found.empty()) return std::make_unique<YuNet>(std::move(network), *release);
    } else {
      found = "a network with the outputs";
      for (const std::string& name : names) found += " " + name;
    }
  } catch (const cv::Exception& error) {
    found = "a file that OpenCV " CV_VERSION " cannot run (" + error.err + ")";
  }
  throw std::runtime_error(
      model.string() +
      ": expected YuNet of March 2022 or 2023 "
      "(face_detection_yunet_2022mar.onnx, face_detection_yunet_2023mar.onnx), "
      "found " +
      found);
}

}  // namespace fer
