// YuNet (Wu, Peng, Yu 2023) from the OpenCV Zoo. cv::FaceDetectorYN would run it too, but it
// decodes one of the two releases only (which one depends on OpenCV's version), and allocates the
// network's input anew for each frame: 5 MB that a streaming thread's malloc gives back and faults
// in again.
#include <algorithm>
#include <optional>
#include <stdexcept>

#include "vision/detection_grid.h"
#include "vision/network_detector.h"
#include "vision/read_region.h"
#include "vision/yunet_outputs.h"

namespace fer {
namespace {

// YuNet sees large faces in flat pictures: up to 0.89 in black frames, 0.7 in even grey ones. Over
// 9676 faces found in FER+ the standard deviation of the grey levels in the box is 6.1 at least,
// and 50 in the middle.
constexpr double kMinContrast = 4;

bool is_flat(const cv::Mat& picture, const cv::Rect2f& box) {
  const cv::Rect inside = cv::Rect(box) & cv::Rect({}, picture.size());
  if (inside.empty()) return true;
  cv::Scalar mean, deviation;
  cv::meanStdDev(picture(inside), mean, deviation);
  return std::max({deviation[0], deviation[1], deviation[2]}) < kMinContrast;
}

/// Lays a picture in BGR out as the network wants it, plane by plane, in the upper left corner of
/// `blob`; the rest, if any, is black.
void fill_blob(const cv::Mat& picture, cv::Mat& blob, cv::Rect& filled) {
  const cv::Rect now({}, picture.size());
  const auto padded = [](int side) { return padded_side(side, kYuNetStride, kYuNetLeastSide); };
  const int shape[] = {1, 3, padded(picture.rows), padded(picture.cols)};
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

  const cv::Mat* picture() const override { return picture_.empty() ? nullptr : &picture_; }

  std::string name() const override { return "yunet"; }

 private:
  cv::dnn::Net network_;
  YuNetRelease release_;
  cv::Mat picture_;
  cv::Mat blob_;
  cv::Rect filled_;  ///< The part of the blob that is not black by design.
  std::vector<cv::Mat> outputs_;
};

std::vector<Face> YuNet::detect(const FrameView& frame, const DetectorConfig& config) {
  check_frame(frame);
  const cv::Size size = detection_size(frame, config);
  read_shown(frame, size, Colour::kBgr, picture_);
  fill_blob(picture_, blob_, filled_);
  const cv::Size input(blob_.size[3], blob_.size[2]);
  network_.setInput(blob_);
  network_.forward(outputs_, yunet_output_names(release_));
  if (const std::string wrong = yunet_wrong_shape(release_, outputs_, input); !wrong.empty()) {
    throw std::runtime_error("YuNet: " + wrong);
  }
  std::vector<Face> faces = best_of(yunet_faces(release_, outputs_, input, config.score_threshold));
  std::erase_if(faces, [&](const Face& face) { return is_flat(picture_, face.box); });

  to_frame_pixels(frame, size, faces);
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

std::unique_ptr<Detector> make_yunet(cv::dnn::Net network) {
  const auto release = release_of(network.getUnconnectedOutLayersNames());
  if (!release) return nullptr;
  const int shape[] = {1, 3, kYuNetLeastSide, kYuNetLeastSide};
  network.setInput(cv::Mat(4, shape, CV_32F, cv::Scalar(0)));
  std::vector<cv::Mat> outputs;
  network.forward(outputs, yunet_output_names(*release));
  const std::string wrong =
      yunet_wrong_shape(*release, outputs, {kYuNetLeastSide, kYuNetLeastSide});
  if (!wrong.empty()) throw std::runtime_error(wrong);
  return std::make_unique<YuNet>(std::move(network), *release);
}

}  // namespace fer
