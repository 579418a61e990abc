// A constant-velocity Kalman filter for the box of one face.
#pragma once

#include <opencv2/core/types.hpp>

namespace fer {

/// Estimates centre, height and aspect of a box and how fast the centre and the height change, in
/// steps of one frame. Height and aspect are kept as logarithms: they stay positive, and noise
/// means the same for small faces and large. The four quantities do not mix, so that each has a
/// filter of two numbers in place of one matrix filter of eight.
class BoxFilter {
 public:
  /// `box` must be finite and not empty, here and in correct().
  explicit BoxFilter(const cv::Rect2f& box);

  /// One frame passes. A face that is out of sight keeps its size.
  void predict(bool in_sight);

  /// The box was seen here.
  void correct(const cv::Rect2f& box);

  /// The picture became so many times as large, all its coordinates with it.
  void scale(double factor);

  /// Time passed unseen: what stood still stands there still, and nothing is known of the rest.
  void stop();

  cv::Rect2f box() const;

 private:
  /// Value, its rate a frame, and their covariance.
  struct Axis {
    double value = 0, rate = 0;
    double value_var = 0, covar = 0, rate_var = 0;

    void predict(double value_noise, double rate_noise);
    void correct(double measured, double noise);
  };

  Axis x_, y_, log_height_, log_aspect_;
};

}  // namespace fer
