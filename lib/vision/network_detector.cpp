#include "vision/network_detector.h"

#include <algorithm>
#include <iterator>
#include <opencv2/core/version.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "util/sha256.h"
#include "vision/detection_grid.h"
#include "vision/detector_sha256.h"
#include "vision/detector_trial.h"
#include "vision/onnx_checksum.h"
#include "vision/shown_frame.h"
#include "vision/sum_file.h"

namespace fer {

namespace {

/// The networks that were looked at: the two releases of YuNet (scripts/models), and our own that
/// ships. OpenCV reads these.
constexpr std::string_view kKnown[] = {
    "50ef07f702a31741ca46a4c0d947773b64143b9362780237bf0d427d6c79bab7",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    SHIPPED_DETECTOR_SHA256,
};

bool is_known(const std::string& digest) {
  return std::find(std::begin(kKnown), std::end(kKnown), digest) != std::end(kKnown);
}

/// What is wrong with a file that carries no checksum and is not known; empty: nothing. One changed
/// byte of weights runs like any other network, so the owner has to name the bytes that are meant.
std::string fault_of_foreign(const std::filesystem::path& model, const std::string& bytes,
                             const std::string& digest) {
  std::string fault = fault_by_sum(model, digest);
  if (fault.empty()) fault = try_detector(DetectorKind::kNetwork, bytes);
  if (fault.empty() && !is_vouched_for(model)) {
    fault = "a network that nobody vouches for: its SHA-256 is " + digest +
            "; where that is the file you want, say so by " + vouching_command(model);
  }
  return fault;
}

/// What stands in any network with the outputs of our own detector.
bool names_our_outputs(const std::string& bytes) {
  return bytes.find("faces_" + std::to_string(kCellStrides.front())) != std::string::npos;
}

/// What is wrong with the file, as far as it can be told without OpenCV; empty: nothing.
std::string fault_of(const std::filesystem::path& model, const std::string& bytes) {
  const std::string digest = sha256(bytes);
  switch (check_onnx(bytes)) {
    case OnnxChecksum::kWrong:
      return "other content than was written: its checksum differs";
    case OnnxChecksum::kNone:
      if (names_our_outputs(bytes)) {
        return "our own detector without its checksum: it was changed, or written by an earlier "
               "version; write it anew by fer export --onnx";
      }
      break;
    case OnnxChecksum::kRight:
      return is_known(digest) ? std::string() : try_detector(DetectorKind::kNetwork, bytes);
  }
  return is_known(digest) ? std::string() : fault_of_foreign(model, bytes, digest);
}

}  // namespace

std::unique_ptr<Detector> read_network(const std::string& bytes) {
  try {
    const cv::dnn::Net network = cv::dnn::readNetFromONNX(bytes.data(), bytes.size());
    if (auto detector = make_grid_detector(network)) return detector;
    if (auto detector = make_yunet(network)) return detector;
    std::string found = "a network with the outputs";
    for (const std::string& name : network.getUnconnectedOutLayersNames()) found += " " + name;
    throw std::runtime_error(found);
  } catch (const cv::Exception& error) {
    throw std::runtime_error("a file that OpenCV " CV_VERSION " cannot run (" + error.err + ")");
  }
}

std::unique_ptr<Detector> open_network(const std::filesystem::path& model,
                                       const std::string& bytes) {
  std::string found = fault_of(model, bytes);
  if (found.empty()) {
    try {
      return read_network(bytes);
    } catch (const std::runtime_error& error) {
      found = error.what();
    }
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
