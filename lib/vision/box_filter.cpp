#include "vision/box_filter.h"

#include <algorithm>
#include <cmath>

namespace fer {
namespace {

// Standard deviations; those of the centre in face heights, the others are relative by themselves.
// A detector's boxes tremble by about a twentieth; a head starts, stops and turns within a few
// frames.
constexpr double kSeen = 0.05;
constexpr double kDrift = 0.02, kSurge = 0.02;           // centre, a frame
constexpr double kFirstRate = 0.2;                       // centre, of a face seen once
constexpr double kSizeDrift = 0.01, kSizeSurge = 0.004;  // height, a frame
constexpr double kFirstSizeRate = 0.03;
constexpr double kAspectDrift = 0.01;

constexpr double square(double value) {
  return value * value;
}

// Far beyond any frame, near enough that squares and exponentials stay finite.
constexpr double kLargestPlace = 1e7, kLargestLog = 16;

}  // namespace

void BoxFilter::Axis::predict(double value_noise, double rate_noise) {
  value += rate;
  value_var += 2 * covar + rate_var + square(value_noise);
  covar += rate_var;
  rate_var += square(rate_noise);
}

void BoxFilter::Axis::correct(double measured, double noise) {
  const double total = value_var + square(noise);
  const double value_gain = value_var / total, rate_gain = covar / total;
  const double error = measured - value;
  value += value_gain * error;
  rate += rate_gain * error;
  rate_var -= rate_gain * covar;
  covar *= 1 - value_gain;
  value_var *= 1 - value_gain;
}

BoxFilter::BoxFilter(const cv::Rect2f& box) {
  const double height = box.height;
  x_ = {box.x + box.width / 2.0, 0, square(kSeen * height), 0, square(kFirstRate * height)};
  y_ = {box.y + box.height / 2.0, 0, square(kSeen * height), 0, square(kFirstRate * height)};
  log_height_ = {std::log(height), 0, square(kSeen), 0, square(kFirstSizeRate)};
  log_aspect_ = {std::log(box.width / height), 0, square(kSeen), 0, 0};
}

void BoxFilter::predict(bool in_sight) {
  const double height = box().height;
  if (!in_sight) log_height_.rate = 0;
  x_.predict(kDrift * height, kSurge * height);
  y_.predict(kDrift * height, kSurge * height);
  log_height_.predict(kSizeDrift, kSizeSurge);
  log_aspect_.predict(kAspectDrift, 0);
}

void BoxFilter::correct(const cv::Rect2f& box) {
  const double height = box.height;
  x_.correct(box.x + box.width / 2.0, kSeen * height);
  y_.correct(box.y + box.height / 2.0, kSeen * height);
  log_height_.correct(std::log(height), kSeen);
  log_aspect_.correct(std::log(box.width / height), kSeen);
}

void BoxFilter::scale(double factor) {
  for (Axis* axis : {&x_, &y_}) {
    axis->value *= factor;
    axis->rate *= factor;
    axis->value_var *= square(factor);
    axis->covar *= square(factor);
    axis->rate_var *= square(factor);
  }
  log_height_.value += std::log(factor);
}

void BoxFilter::stop() {
  *this = BoxFilter(box());
}

cv::Rect2f BoxFilter::box() const {
  const double height = std::exp(std::clamp(log_height_.value, -kLargestLog, kLargestLog));
  const double width = height * std::exp(std::clamp(log_aspect_.value, -kLargestLog, kLargestLog));
  const double x = std::clamp(x_.value, -kLargestPlace, kLargestPlace);
  const double y = std::clamp(y_.value, -kLargestPlace, kLargestPlace);
  return cv::Rect2d(x - width / 2, y - height / 2, width, height);
}

}  // namespace fer
