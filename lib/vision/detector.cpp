#include "vision/detector.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "util/read_file.h"
#include "vision/detector_backends.h"
#include "vision/shown_frame.h"

namespace fer {

std::unique_ptr<Detector> open_detector(const std::filesystem::path& model) {
  std::error_code error;
  const auto status = std::filesystem::status(model, error);
  const std::string expected =
      model.string() +
      ": expected a face detector (an .onnx of ours or YuNet's, or an OpenCV cascade .xml), found ";
  if (status.type() == std::filesystem::file_type::not_found) {
    throw std::runtime_error(expected + "no such file");
  }
  if (std::filesystem::is_directory(status)) throw std::runtime_error(expected + "a directory");
  std::string extension = model.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (extension == ".onnx") return open_network(model, read_file(model, kMaxDetectorFile));
  if (extension == ".xml") return open_haar(model, read_file(model, kMaxDetectorFile));
  if (extension == ".fer") {
    throw std::runtime_error(expected +
                             "a file that ends in .fer, which holds an expression model or what a "
                             "detector is exported from (fer export --onnx)");
  }
  throw std::runtime_error(expected + (extension.empty() ? "a file without extension"
                                                         : "a file that ends in " + extension));
}

cv::Size detection_size(const FrameView& frame, const DetectorConfig& config) {
  const ShownSize shown = shown_size(geometry_of(frame));
  const auto pixels = [](double side) { return std::max(1, static_cast<int>(std::lround(side))); };
  if (config.detect_width <= 0 || shown.width <= config.detect_width) {
    return {pixels(shown.width), pixels(shown.height)};
  }
  return {config.detect_width, pixels(shown.height * config.detect_width / shown.width)};
}

void finish_faces(const FrameView& frame, const DetectorConfig& config, std::vector<Face>& faces) {
  const ShownSize shown = shown_size(geometry_of(frame));
  const cv::Rect2f whole(0, 0, static_cast<float>(shown.width), static_cast<float>(shown.height));
  std::erase_if(faces, [&](Face& face) {
    face.box &= whole;
    return !(face.score >= config.score_threshold) || face.box.empty() ||
           std::min(face.box.width, face.box.height) < config.min_face_size;
  });
  std::stable_sort(faces.begin(), faces.end(),
                   [](const Face& a, const Face& b) { return a.score > b.score; });
  if (config.max_faces > 0 && faces.size() > static_cast<std::size_t>(config.max_faces)) {
    faces.resize(static_cast<std::size_t>(config.max_faces));
  }
}

}  // namespace fer
