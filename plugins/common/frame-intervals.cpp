#include "frame-intervals.h"

#include <algorithm>
#include <cmath>

namespace fer {
namespace {

/// Longer steps back are jumps: a seek without a flush, a file that begins again.
constexpr GstClockTimeDiff kMaxJitter = GST_SECOND;

/// Steps from which on they are believed in place of the caps.
constexpr std::size_t kEnoughSteps = 3;

}  // namespace

GstClockTime FrameIntervals::interval() const {
  const std::size_t count = std::min(count_, steps_.size());
  if (count < kEnoughSteps && expected_ > 0) return expected_;
  if (count == 0) return 0;
  auto steps = steps_;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(steps.begin(), middle, steps.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

std::optional<int> FrameIntervals::lost_before(GstClockTime time, bool backwards) {
  if (!GST_CLOCK_TIME_IS_VALID(time)) return 0;
  if (!GST_CLOCK_TIME_IS_VALID(last_)) {
    last_ = time;
    return 0;
  }
  const auto step = static_cast<GstClockTimeDiff>(backwards ? last_ - time : time - last_);
  if (step < -kMaxJitter) {
    reset();
    last_ = time;
    return std::nullopt;
  }
  if (step <= 0) return 0;
  last_ = time;
  const GstClockTime usual = interval();
  steps_[count_++ % steps_.size()] = static_cast<GstClockTime>(step);
  if (usual == 0) return 0;
  const double frames = static_cast<double>(step) / static_cast<double>(usual);
  return static_cast<int>(std::lround(std::clamp(frames - 1, 0., 1e6)));
}

double FrameIntervals::frame_rate() const {
  const GstClockTime usual = interval();
  return usual == 0 ? 0 : static_cast<double>(GST_SECOND) / static_cast<double>(usual);
}

void FrameIntervals::reset() {
  last_ = GST_CLOCK_TIME_NONE;
  count_ = 0;
}

}  // namespace fer
