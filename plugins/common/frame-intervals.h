// How far a stream's frames are apart, by their own times.
#pragma once

#include <gst/gst.h>

#include <array>
#include <optional>

namespace fer {

/// Measures the interval of a stream's frames and tells where frames are missing. Caps often name a
/// rate that frames do not come at (variable rates, cameras in the dark, frames that were dropped
/// on purpose), so that the median of the last steps decides as soon as there are enough.
class FrameIntervals {
 public:
  /// What the caps say that a frame lasts; 0: nothing.
  void expect(GstClockTime duration) { expected_ = duration; }

  /// How many frames were lost before the one at `time`, frames without a time counting as
  /// continuous; nullopt where the stream jumps back. A step back of less than a second is jitter.
  std::optional<int> lost_before(GstClockTime time, bool backwards);

  /// Frames a second; 0: not known yet.
  double frame_rate() const;

  /// Nothing continues what came before.
  void reset();

 private:
  GstClockTime interval() const;

  GstClockTime expected_ = 0;
  GstClockTime last_ = GST_CLOCK_TIME_NONE;
  std::array<GstClockTime, 9> steps_{};  ///< The last ones, in no order.
  std::size_t count_ = 0;                ///< Steps so far.
};

}  // namespace fer
