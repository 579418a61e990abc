#include "vision/network_detector.h"

#include <opencv2/core/version.hpp>
#include <stdexcept>
#include <string>

#include "vision/detection_grid.h"
#include "vision/shown_frame.h"

namespace fer {

std::unique_ptr<Detector> open_network(const std::filesystem::path& model) {
  std::string found;
  try {
    const cv::dnn::Net network = cv::dnn::readNetFromONNX(model.string());
    if (auto detector = make_grid_detector(network)) return detector;
    if (auto detector = make_yunet(network)) return detector;
    found = "a network with the outputs";
    for (const std::string& name : network.getUnconnectedOutLayersNames()) found += " " + name;
  } catch (const cv::Exception& error) {
    found = "a file that OpenCV " CV_VERSION " cannot run (" + error.err + ")";
  } catch (const std::runtime_error& error) {
    found = error.what();
  }
  throw std::runtime_error(
      model.string() +
      ": expected our own face detector (face-detector.onnx, or what fer export --onnx makes of a "
      "trained one) or YuNet of March 2022 or 2023 (face_detection_yunet_2022mar.onnx, "
      "face_detection_yunet_2023mar.onnx), found " +
      found);
}

std::vector<Face> best_of(const std::vector<Face>& guesses) {
  const auto kept = suppress(
      guesses.size(), [&](std::size_t i) -> const cv::Rect2f& { return guesses[i].box; },
      [&](std::size_t i) { return guesses[i].score; }, kSameFace, kFaceCandidates);
  std::vector<Face> faces;
  for (const std::size_t i : kept) faces.push_back(guesses[i]);
  return faces;
}

void to_frame_pixels(const FrameView& frame, cv::Size size, std::vector<Face>& faces) {
  const ShownSize shown = shown_size(geometry_of(frame));
  const auto sx = static_cast<float>(shown.width / size.width);
  const auto sy = static_cast<float>(shown.height / size.height);
  for (Face& face : faces) {
    face.box = {face.box.x * sx, face.box.y * sy, face.box.width * sx, face.box.height * sy};
    for (cv::Point2f& point : *face.landmarks) point = {point.x * sx, point.y * sy};
  }
}

}  // namespace fer
