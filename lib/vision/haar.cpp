// Haar cascades (Viola, Jones 2001) of the system's opencv-data: the fallback without a network.
#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <stdexcept>

#include "vision/detector_backends.h"
#include "vision/detector_trial.h"
#include "vision/read_region.h"
#include "vision/shown_frame.h"

namespace fer {
namespace {

// A cascade has no score. What it has is how many neighbouring windows agreed on a face, n; that
// maps to n / (n + 2), which grows with agreement and puts OpenCV's customary least of 3 neighbours
// at the default threshold of 0.6. It orders faces; it is no probability.
constexpr float kHalfScore = 2.f;

float score_of(int neighbours) {
  return static_cast<float>(neighbours) / (static_cast<float>(neighbours) + kHalfScore);
}

int neighbours_for(float score) {
  const float n = kHalfScore * score / (1.f - std::clamp(score, 0.f, 0.99f));
  return std::max(1, static_cast<int>(std::ceil(n - 1e-3f)));
}

class Haar final : public Detector {
 public:
  explicit Haar(cv::CascadeClassifier cascade) : cascade_(std::move(cascade)) {}

  std::vector<Face> detect(const FrameView& frame, const DetectorConfig& config) override;

  const cv::Mat* picture() const override { return picture_.empty() ? nullptr : &picture_; }

  bool has_landmarks() const override { return false; }

  std::string name() const override { return "haar"; }

 private:
  cv::CascadeClassifier cascade_;
  cv::Mat picture_;
  cv::Mat equalised_;
};

std::vector<Face> Haar::detect(const FrameView& frame, const DetectorConfig& config) {
  check_frame(frame);
  const cv::Size size = detection_size(frame, config);
  const cv::Size window = cascade_.getOriginalWindowSize();
  std::vector<Face> faces;
  if (size.width < window.width || size.height < window.height) return faces;
  read_shown(frame, size, Colour::kGrey, picture_);
  cv::equalizeHist(picture_, equalised_);

  const ShownSize shown = shown_size(geometry_of(frame));
  const auto sx = static_cast<float>(shown.width / size.width);
  const auto sy = static_cast<float>(shown.height / size.height);
  const int min = static_cast<int>(config.min_face_size / std::max(sx, sy));
  std::vector<cv::Rect> boxes;
  std::vector<int> neighbours;
  cascade_.detectMultiScale(equalised_, boxes, neighbours, 1.1,
                            neighbours_for(config.score_threshold), 0, {min, min});
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const cv::Rect2f box(boxes[i]);
    Face face;
    face.box = {box.x * sx, box.y * sy, box.width * sx, box.height * sy};
    face.score = score_of(neighbours[i]);
    faces.push_back(face);
  }
  finish_faces(frame, config, faces);
  return faces;
}

}  // namespace

std::unique_ptr<Detector> read_cascade(const std::filesystem::path& file) {
  cv::CascadeClassifier cascade;
  bool loaded = false;
  try {
    loaded = cascade.load(file.string());
  } catch (const cv::Exception& error) {
    throw std::runtime_error("a file that OpenCV cannot read (" + error.err + ")");
  }
  if (!loaded || cascade.empty()) throw std::runtime_error("a file that holds none");
  return std::make_unique<Haar>(std::move(cascade));
}

std::unique_ptr<Detector> open_haar(const std::filesystem::path& model, const std::string& bytes) {
  std::string found;
  if (!is_system_cascade(model)) found = try_detector(DetectorKind::kCascade, bytes);
  if (found.empty()) {
    try {
      return read_cascade(model);
    } catch (const std::runtime_error& error) {
      found = error.what();
    }
  }
  throw std::runtime_error(model.string() + ": expected an OpenCV cascade, found " + found);
}

}  // namespace fer
