// A camera that is kept running, whatever becomes of it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cameras/camera_pipeline.h"
#include "cameras/expression_timeline.h"
#include "cameras/latest_picture.h"
#include "config/service_config.h"

namespace fer {

/// What a camera is at now.
struct CameraState {
  enum Kind { kConnecting, kPlaying, kWaiting, kEnded } kind = kConnecting;
  std::string reason;          ///< Why it waits: the last failure, without secrets.
  std::uint64_t frames = 0;    ///< Since the service began.
  std::uint64_t restarts = 0;  ///< Tries after the first.
  double fps = 0;              ///< Over the last seconds.
  int faces = 0;               ///< In the last frame.
};

/// "connecting", "playing", "waiting", "ended".
const char* name_of(CameraState::Kind kind);

/// Runs a camera's pipeline on a thread of its own. Where the pipeline fails, ends, or brings no
/// frame for too long, it is thrown away and made anew after a pause, which grows. No other camera
/// takes notice. Thread-safe.
class Camera {
 public:
  Camera(const CameraConfig& config, const CameraShared& shared);
  /// Asks the thread to end, and waits for it.
  ~Camera();
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  /// Asks the thread to end without waiting, so that many end at the same time.
  void stop();
  /// The same, and waits for it. What others still hold of the camera stays as it was.
  void end();

  const CameraConfig& config() const { return config_; }
  const CameraShared& shared() const { return shared_; }
  /// The address without secrets.
  const std::string& shown_uri() const { return redactor_.shown(); }
  CameraState state() const;
  ExpressionTimeline& timeline() { return timeline_; }
  const std::shared_ptr<LatestPicture>& picture() const { return picture_; }

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  /// One life of the pipeline: why it ended, and whether another is to follow.
  struct Ending {
    std::string reason;
    bool again = true;
  };
  Ending play();
  void on_frame(const std::vector<std::string>& labels, std::vector<SeenExpression> faces);
  void set_state(CameraState::Kind kind, const std::string& reason = {});
  /// False where the camera is to stop.
  bool pause(double seconds);

  const CameraConfig config_;
  const CameraShared shared_;
  const Redactor redactor_;
  ExpressionTimeline timeline_;
  const std::shared_ptr<LatestPicture> picture_ = std::make_shared<LatestPicture>();
  std::atomic<std::uint64_t> frames_{0};
  std::atomic<Clock::rep> last_frame_{0};  ///< Of Clock.
  std::atomic<int> faces_{0};

  mutable std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable wake_;
  bool stop_ = false;
  CameraState state_;

  std::thread thread_;  ///< Last: begins when all else is there.
};

}  // namespace fer
