// How well a detector finds faces.
#pragma once

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "export.h"
#include "learn/detection/detection_dataset.h"

namespace fer {

/// What a detector said of one place, in pixels of the photo.
struct FoundFace {
  float x = 0, y = 0, width = 0, height = 0;
  float score = 0;
  bool has_points = false;
  std::array<float, 10> points{};
};

/// Counts finds against a teacher's faces, photo by photo. A find that overlaps a sure face by half
/// (intersection over union) has found it, the best one first. Finds at faces that are unsure or
/// lower than `min_height` count neither for nor against, as do finds most of which lie in one.
class FER_API DetectionScore {
 public:
  explicit DetectionScore(double min_height) : min_height_(min_height) {}

  /// `scale` brings heights to the pixels in which `min_height` is meant.
  void add(std::span<const SceneFace> faces, std::vector<FoundFace> finds, double scale = 1);

  std::size_t photos() const { return photos_; }
  std::size_t empty_photos() const { return empty_photos_; }
  std::size_t faces() const { return faces_; }

  /// Among finds of at least this score:
  double recall(double score) const;        ///< Share of the faces that were found.
  double precision(double score) const;     ///< Share of the finds that are faces; 1 of none.
  double false_alarms(double score) const;  ///< A photo without faces; 0 where there is none.
  double points_error(double score) const;  ///< Mean over the faces found, in shares of the
                                            ///< distance between the eyes; NaN without any.
  /// As points_error(), but the median: in faces from the side the eyes' distance comes near zero,
  /// and a few such faces make most of a mean.
  double points_error_median(double score) const;
  /// Area under precision over recall, precision taken as the best at that recall or beyond.
  double average_precision() const;
  /// The score at which the harmonic mean of precision and recall is best; 0.5 without finds.
  double best_score() const;
  /// The lowest score at which photos without faces have at most so many false alarms.
  double score_at(double false_alarms) const;

 private:
  struct Find {
    float score = 0;
    bool right = false;
    bool on_empty = false;    ///< In a photo without faces.
    float points_error = -1;  ///< Below zero: not known.
  };
  /// Of the landmarks of each face found with at least this score.
  std::vector<double> points_errors(double score) const;
  /// Finds ordered, best first.
  const std::vector<Find>& ordered() const;

  double min_height_;
  std::size_t photos_ = 0, empty_photos_ = 0, faces_ = 0;
  mutable std::vector<Find> finds_;
  mutable bool sorted_ = true;
};

}  // namespace fer
