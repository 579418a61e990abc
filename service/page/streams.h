// Answers without an end: pictures and news.
#pragma once

#include <httplib.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cameras/camera.h"
#include "page/event_hub.h"

namespace fer {

/// Counts the answers without an end, so that some connections are always left for the others.
class StreamLimit {
 public:
  explicit StreamLimit(int most) : most_(most) {}

  /// One of them, while it lives; null where there are too many.
  std::shared_ptr<void> enter();

 private:
  const int most_;
  std::atomic<int> now_{0};
};

/// Until `stopping`, or until the client has gone or does not read.
using Stopping = std::function<bool()>;

/// Motion JPEG of one camera, which any browser and player shows.
void send_mjpeg(httplib::Response& response, const std::shared_ptr<Camera>& camera,
                std::shared_ptr<void> place, const Stopping& stopping);

/// Pictures of several cameras over one connection, of which browsers allow six: for each a line
/// "NAME BYTES\n" and the JPEG.
void send_pictures(httplib::Response& response, const std::vector<std::shared_ptr<Camera>>& cameras,
                   std::shared_ptr<void> place, const Stopping& stopping);

/// Server-sent events; `first` comes before all others.
void send_events(httplib::Response& response, std::shared_ptr<EventHub::Subscriber> events,
                 std::string first, std::shared_ptr<void> place, const Stopping& stopping);

}  // namespace fer
