#include "evaluation/detection_evaluation.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "data/data_source.h"
#include "learn/detection/detection_dataset.h"
#include "learn/detection/detection_trainer.h"
#include "network/detector_info.h"
#include "terminal/interrupt.h"
#ifdef HAVE_VISION
#include "data/scene_list.h"
#include "files/read_image.h"
#include "vision/detector.h"
#include "vision/face_finder.h"
#endif

namespace fer {
namespace {

namespace fs = std::filesystem;

void keep_first(auto& photos, int count) {
  if (count > 0 && photos.size() > static_cast<std::size_t>(count))
    photos.resize(static_cast<std::size_t>(count));
}

DetectionEvaluation evaluate_weights(const fs::path& model, const fs::path& data,
                                     const DetectionEvalSettings& settings) {
  if (is_image_list(data)) {
    throw std::runtime_error(data.string() +
                             ": weights are evaluated on a packed dataset only; make one by fer "
                             "pack --task detect, or export the weights");
  }
  const DetectionDataset photos(data);
  std::vector<std::size_t> rows = photos.photos(settings.split);
  keep_first(rows, settings.max_photos);
  DetectionEvaluation evaluation;
  evaluation.score = score_detector(model, photos, rows, settings.min_face);
  evaluation.detector = "fer (weights)";
  evaluation.threshold = read_detector_info(model).operating_score;
  return evaluation;
}

#ifdef HAVE_VISION
/// Finds below this are not counted: by then every detector sees faces everywhere.
constexpr float kMinScore = 0.05f;

/// The picture in so much of its light.
cv::Mat lit(const cv::Mat& picture, double light) {
  if (light == 1) return picture;
  cv::Mat darker;
  picture.convertTo(darker, -1, light);
  return darker;
}

/// A detector and what it has found so far.
class Examination {
 public:
  Examination(const fs::path& model, const DetectionEvalSettings& settings)
      : settings_(settings), detector_(open_detector(model)), score_(settings.min_face) {
    name_ = detector_->name();
    config_.score_threshold = kMinScore;
    config_.detect_width = settings.detect_width;
    config_.small_faces = settings.small_faces;
    if (!settings.turned_faces) return;
    finder_.emplace(std::move(detector_));
    FaceFinderConfig finder;
    finder.detect_width = settings.detect_width;
    finder.small_face_interval = settings.small_faces ? 1 : 0;
    finder_->configure(finder);
  }

  void look_at(const FrameView& frame, std::span<const SceneFace> faces) {
    std::vector<FoundFace> finds;
    for (const Face& face : faces_in(frame)) {
      FoundFace& find = finds.emplace_back();
      find.x = face.box.x;
      find.y = face.box.y;
      find.width = face.box.width;
      find.height = face.box.height;
      find.score = face.score;
      find.has_points = face.landmarks.has_value();
      if (!find.has_points) continue;
      for (std::size_t k = 0; k < face.landmarks->size(); ++k) {
        find.points[2 * k] = (*face.landmarks)[k].x;
        find.points[2 * k + 1] = (*face.landmarks)[k].y;
      }
    }
    const double scale =
        settings_.detect_width > 0
            ? std::min(1.0, static_cast<double>(settings_.detect_width) / frame.width)
            : 1.0;
    score_.add(faces, std::move(finds), scale);
  }

  DetectionEvaluation result(bool colour, std::size_t unreadable) const {
    DetectionEvaluation evaluation;
    evaluation.score = score_;
    evaluation.detector = name_;
    evaluation.colour = colour;
    evaluation.unreadable = unreadable;
    evaluation.threshold = DetectorConfig().score_threshold;
    return evaluation;
  }

 private:
  std::vector<Face> faces_in(const FrameView& frame) {
    if (!finder_) return detector_->detect(frame, config_);
    finder_->reset();
    const std::vector<TrackedFace> tracked = finder_->detect(frame);
    return {tracked.begin(), tracked.end()};
  }

  const DetectionEvalSettings& settings_;
  std::unique_ptr<Detector> detector_;
  std::optional<FaceFinder> finder_;  ///< Has the detector, where turned faces are looked for.
  std::string name_;
  DetectorConfig config_;
  DetectionScore score_;
};
#endif

}  // namespace

DetectionEvaluation evaluate_detector(
    const fs::path& model, const fs::path& data, const DetectionEvalSettings& settings,
    const std::function<void(std::size_t done, std::size_t all)>& on_progress) {
  if (is_detector_file(model)) return evaluate_weights(model, data, settings);
#ifdef HAVE_VISION
  Examination examination(model, settings);
  if (!is_image_list(data)) {
    const DetectionDataset photos(data);
    std::vector<std::size_t> rows = photos.photos(settings.split);
    keep_first(rows, settings.max_photos);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      stop_if_requested();
      const cv::Mat grey(photos.height(rows[i]), photos.width(rows[i]), CV_8UC1,
                         const_cast<std::uint8_t*>(photos.pixels(rows[i]).data()));
      examination.look_at(view_of(lit(grey, settings.light)), photos.faces(rows[i]));
      on_progress(i + 1, rows.size());
    }
    return examination.result(false, 0);
  }
  std::vector<SceneEntry> entries = read_scene_list(data, settings.split);
  keep_first(entries, settings.max_photos);
  std::size_t unreadable = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    stop_if_requested();
    const cv::Mat image = read_image(entries[i].image, ImageTurn::kAsStored);
    if (image.empty())
      ++unreadable;
    else
      examination.look_at(view_of(lit(image, settings.light)), entries[i].faces);
    on_progress(i + 1, entries.size());
  }
  if (unreadable == entries.size())
    throw std::runtime_error(data.string() + ": none of its photos could be read (" +
                             entries[0].image.string() + ", …)");
  return examination.result(true, unreadable);
#else
  static_cast<void>(on_progress);
  throw std::runtime_error(model.string() +
                           ": expected weights of a detector (.fer), since this program was built "
                           "without OpenCV");
#endif
}

}  // namespace fer
