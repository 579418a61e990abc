#include "cameras/camera.h"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "cameras/backoff.h"
#include "config/secret_file.h"
#include "journal/journal.h"
#include "util/elapsed.h"

namespace fer {
namespace {

/// So often is looked at whether frames come, pictures are wanted, and the end is asked for.
constexpr std::chrono::milliseconds kLook(100);
/// Connecting may take this much longer than a frame: handshakes, key frames.
constexpr double kConnecting = 10;
/// Seconds over which `fps` is averaged.
constexpr double kRateWindow = 4;
constexpr double kBetweenWarnings = 10;

Redactor redactor_of(const CameraConfig& config) {
  std::string password;
  if (!config.password_file.empty() && why_no_secret(config.password_file).empty())
    password = read_secret(config.password_file);
  return Redactor(config.uri, password);
}

std::int64_t now_s() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

const char* name_of(CameraState::Kind kind) {
  switch (kind) {
    case CameraState::kConnecting:
      return "connecting";
    case CameraState::kPlaying:
      return "playing";
    case CameraState::kWaiting:
      return "waiting";
    case CameraState::kEnded:
      return "ended";
  }
  return "";
}

Camera::Camera(const CameraConfig& config, const CameraShared& shared)
    : config_(config), shared_(shared), redactor_(redactor_of(config)) {
  thread_ = std::thread([this] { run(); });
}

Camera::~Camera() {
  end();
}

void Camera::end() {
  stop();
  if (thread_.joinable()) thread_.join();
  picture_->close();
}

void Camera::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
}

CameraState Camera::state() const {
  CameraState now;
  {
    const std::lock_guard lock(mutex_);
    now = state_;
  }
  now.frames = frames_;
  now.faces = now.kind == CameraState::kPlaying ? faces_.load() : 0;
  return now;
}

void Camera::set_state(CameraState::Kind kind, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  state_.kind = kind;
  state_.reason = reason;
  if (kind != CameraState::kPlaying) state_.fps = 0;
}

bool Camera::pause(double seconds) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return stop_; });
}

void Camera::on_frame(const std::vector<std::string>& labels, std::vector<SeenExpression> faces) {
  ++frames_;
  last_frame_ = Clock::now().time_since_epoch().count();
  faces_ = static_cast<int>(faces.size());
  timeline_.add(now_s(), labels, faces);
}

void Camera::run() {
  Backoff backoff(config_.retry.first, config_.retry.last);
  while (true) {
    const auto begun = Clock::now();
    set_state(CameraState::kConnecting);
    Ending ending;
    try {
      ending = play();
    } catch (const std::exception& failed) {
      ending.reason = redactor_(failed.what());
    }
    picture_->clear();
    timeline_.restart();
    if (!ending.again) {
      set_state(CameraState::kEnded, ending.reason);
      if (ending.reason.empty()) return;  // asked for
      log_line(Level::kInfo, "camera " + config_.name + ": " + ending.reason);
      return;
    }
    const double wait = backoff.after(seconds_since(begun));
    set_state(CameraState::kWaiting, ending.reason);
    char pause_text[32];
    std::snprintf(pause_text, sizeof pause_text, "%.3g", wait);
    log_line(Level::kWarning, "camera " + config_.name + ": " + ending.reason +
                                  "; trying again in " + pause_text + " s");
    if (!pause(wait)) return;
    const std::lock_guard lock(mutex_);
    ++state_.restarts;
  }
}

Camera::Ending Camera::play() {
  const auto begun = Clock::now();
  last_frame_ = begun.time_since_epoch().count();
  const std::uint64_t frames_before = frames_;
  CameraPipeline pipeline(
      config_, shared_, redactor_,
      [this](const std::vector<std::string>& labels, std::vector<SeenExpression> faces) {
        on_frame(labels, std::move(faces));
      },
      picture_);
  bool playing = false;
  auto rate_begun = begun;
  std::uint64_t rate_frames = frames_before;
  double warned = -kBetweenWarnings;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return {"", /*again=*/false};
    }
    pipeline.make_pictures(picture_->watched());
    const CameraPipeline::News news = pipeline.wait(kLook);
    if (news.kind == CameraPipeline::News::kFailed) return {news.text, /*again=*/true};
    if (news.kind == CameraPipeline::News::kEnded) {
      // A download without a length is a camera that stopped sending.
      const bool recording =
          is_file(config_.uri) || (is_unpaced(config_.uri) && pipeline.has_length());
      if (!recording) return {"the stream ended", /*again=*/true};
      if (frames_ == frames_before) return {"it ended without a frame of video", /*again=*/true};
      if (!config_.loop) return {"the recording is at its end", /*again=*/false};
      if (!pipeline.rewind()) return {"it cannot be played from the beginning", /*again=*/true};
      last_frame_ = Clock::now().time_since_epoch().count();
    }
    if (news.kind == CameraPipeline::News::kWarning &&
        seconds_since(begun) - warned >= kBetweenWarnings) {
      warned = seconds_since(begun);
      log_line(Level::kWarning, "camera " + config_.name + ": " + news.text);
    }
    const std::uint64_t frames = frames_;
    if (!playing && frames > frames_before) {
      playing = true;
      set_state(CameraState::kPlaying);
      log_line(Level::kInfo, "camera " + config_.name + ": playing " + shown_uri());
    }
    const double silent = seconds_since(Clock::time_point(Clock::duration(last_frame_.load())));
    if (silent > config_.frozen_after + (playing ? 0 : kConnecting)) {
      char text[64];
      std::snprintf(text, sizeof text, "no frame for %.0f s", silent);
      return {text, /*again=*/true};
    }
    const double window = seconds_since(rate_begun);
    if (window < 1) continue;
    const std::lock_guard lock(mutex_);
    const double rate = static_cast<double>(frames - rate_frames) / window;
    // A moving average, which begins at the first rate.
    state_.fps += (rate - state_.fps) * (state_.fps == 0 ? 1 : std::min(1.0, window / kRateWindow));
    rate_begun = Clock::now();
    rate_frames = frames;
  }
}

}  // namespace fer
