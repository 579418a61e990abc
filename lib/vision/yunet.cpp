// YuNet (Wu, Peng, Yu 2023) from the OpenCV Zoo, run by cv::FaceDetectorYN.
#include <algorithm>
#include <cmath>
#include <opencv2/core/version.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <stdexcept>

#include "vision/detector_backends.h"
#include "vision/read_region.h"

namespace fer {
namespace {

// Below 128 pixels a side a pooled map of the 2022 network becomes empty; its strides go up to 32.
constexpr int kLeastSide = 128;
constexpr int kStride = 32;
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
  return std::max(kLeastSide, (side + kStride - 1) / kStride * kStride);
}

// What cv::FaceDetectorYN decodes changed with OpenCV 4.8: it reads the file of its own time only,
// and trusts the outputs' shapes. An output here is its name and the values it has per anchor.
struct Output {
  const char* name;
  int values;
  int anchors;  // in a 128x128 picture
};
#if CV_VERSION_MAJOR > 4 || (CV_VERSION_MAJOR == 4 && CV_VERSION_MINOR >= 8)
constexpr const char* kExpected = "YuNet of March 2023 (face_detection_yunet_2023mar.onnx)";
constexpr Output kOutputs[] = {{"cls_8", 1, 256},  {"cls_16", 1, 64},  {"cls_32", 1, 16},
                               {"obj_8", 1, 256},  {"obj_16", 1, 64},  {"obj_32", 1, 16},
                               {"bbox_8", 4, 256}, {"bbox_16", 4, 64}, {"bbox_32", 4, 16},
                               {"kps_8", 10, 256}, {"kps_16", 10, 64}, {"kps_32", 10, 16}};
#else
constexpr const char* kExpected = "YuNet of March 2022 (face_detection_yunet_2022mar.onnx)";
constexpr Output kOutputs[] = {{"loc", 14, 940}, {"conf", 2, 940}, {"iou", 1, 940}};
#endif

/// Empty where the network's outputs are YuNet's, else what they are instead.
std::string foreign_outputs(cv::dnn::Net& network) {
  std::vector<std::string> names = network.getUnconnectedOutLayersNames();
  std::vector<std::string> wanted;
  for (const Output& output : kOutputs) wanted.emplace_back(output.name);
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  std::sort(wanted.begin(), wanted.end());
  if (sorted != wanted) {
    std::string found = "a network with the outputs";
    for (const std::string& name : names) found += " " + name;
    return found;
  }
  network.setInput(cv::Mat(std::vector<int>{1, 3, kLeastSide, kLeastSide}, CV_32F, cv::Scalar(0)));
  for (const Output& output : kOutputs) {
    const cv::Mat blob = network.forward(output.name);
    const auto values = static_cast<std::size_t>(output.values) * output.anchors;
    if (blob.type() != CV_32F || blob.total() != values) {
      return "a network whose output " + std::string(output.name) + " has " +
             std::to_string(blob.total()) + " values in place of " + std::to_string(values);
    }
  }
  return {};
}

class YuNet final : public Detector {
 public:
  explicit YuNet(cv::Ptr<cv::FaceDetectorYN> network) : network_(std::move(network)) {}

  std::vector<Face> detect(const FrameView& frame, const DetectorConfig& config) override;

  std::string name() const override { return "yunet"; }

 private:
  cv::Ptr<cv::FaceDetectorYN> network_;
  cv::Mat picture_;
  cv::Mat padded_;
  cv::Mat found_;
};

std::vector<Face> YuNet::detect(const FrameView& frame, const DetectorConfig& config) {
  check_frame(frame);
  const cv::Size size = detection_size(frame, config);
  read_region(frame, {0, 0, frame.width, frame.height}, size, Colour::kBgr, picture_);
  const cv::Size input_size(padded_side(size.width), padded_side(size.height));
  cv::Mat input = picture_;
  if (input_size != size) {
    cv::copyMakeBorder(picture_, padded_, 0, input_size.height - size.height, 0,
                       input_size.width - size.width, cv::BORDER_CONSTANT);
    input = padded_;
  }
  if (network_->getInputSize() != input_size) network_->setInputSize(input_size);
  network_->setScoreThreshold(config.score_threshold);
  network_->detect(input, found_);

  const float sx = static_cast<float>(frame.width) / static_cast<float>(size.width);
  const float sy = static_cast<float>(frame.height) / static_cast<float>(size.height);
  std::vector<Face> faces;
  faces.reserve(static_cast<std::size_t>(found_.rows));
  for (int i = 0; i < found_.rows; ++i) {
    const float* row = found_.ptr<float>(i);  // box, five points, score
    if (is_flat(picture_, {row[0], row[1], row[2], row[3]})) continue;
    Face face;
    face.box = {row[0] * sx, row[1] * sy, row[2] * sx, row[3] * sy};
    Landmarks points;
    for (int k = 0; k < 5; ++k) points[k] = {row[4 + 2 * k] * sx, row[5 + 2 * k] * sy};
    face.landmarks = points;
    face.score = std::clamp(row[14], 0.f, 1.f);
    faces.push_back(face);
  }
  finish_faces(frame, config, faces);
  return faces;
}

}  // namespace

std::unique_ptr<Detector> open_yunet(const std::filesystem::path& model) {
  const std::string expected = model.string() + ": expected " + kExpected + ", found ";
  cv::Ptr<cv::FaceDetectorYN> network;
  std::string foreign;
  try {
    cv::dnn::Net net = cv::dnn::readNetFromONNX(model.string());
    foreign = foreign_outputs(net);
    if (foreign.empty()) {
      network = cv::FaceDetectorYN::create(model.string(), "", {kLeastSide, kLeastSide}, 0.6f,
                                           kOverlap, kCandidates);
      cv::Mat found;
      network->detect(cv::Mat::zeros(kLeastSide, kLeastSide, CV_8UC3), found);
    }
  } catch (const cv::Exception& error) {
    foreign = "a file that OpenCV " CV_VERSION " cannot run (" + error.err + ")";
  }
  if (!foreign.empty()) throw std::runtime_error(expected + foreign);
  return std::make_unique<YuNet>(std::move(network));
}

}  // namespace fer
