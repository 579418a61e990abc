// Watches one input, frame by frame.
#pragma once

#include <functional>
#include <memory>

#include "watch/pipeline.h"
#include "watch/watch_result.h"

namespace fer {

/// What the watchers tell meanwhile, on the thread that called them.
struct WatchListener {
  std::function<void(const SeenFrame&)> on_frame;
  /// Now and then: the share of the input that is done; 0 where it has no known end.
  std::function<void(double share)> on_progress;
};

/// Watches a video or a camera to its end, or until a stop is asked for: the result says so.
/// The overlay of what was watched goes to `input.annotated`, if any, whole or not at all. Throws
/// UnreadableInput where it cannot be decoded; what was seen until then has been told. Throws
/// std::runtime_error where the overlay cannot be written.
void watch_video(const WatchInput& input, const WatchSettings& settings,
                 const WatchListener& listener, WatchResult& result);

/// Watches photos, one after the other, upright as their EXIF data says. Not thread-safe.
class PhotoWatcher {
 public:
  /// `annotates`: photos get their overlay.
  PhotoWatcher(const WatchSettings& settings, bool annotates);
  ~PhotoWatcher();
  PhotoWatcher(const PhotoWatcher&) = delete;
  PhotoWatcher& operator=(const PhotoWatcher&) = delete;

  /// Throws UnreadableInput for what is no photo, std::runtime_error where the overlay cannot be
  /// written or the elements fail.
  SeenFrame watch(const WatchInput& photo);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace fer
