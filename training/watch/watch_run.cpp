#include "watch/watch_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

/// What a file adds to the bar; an address or a camera counts as a small one.
double weight_of(const WatchInput& input) {
  return std::max(1e5, static_cast<double>(input.bytes));
}

/// One bar for all workers.
class SharedProgress {
 public:
  /// What is to be done: the weight of all inputs, and their number.
  explicit SharedProgress(const std::pair<double, std::size_t>& work)
      : whole_(work.first), inputs_(work.second) {}

  void saw_frame(double seconds) {
    const std::lock_guard lock(mutex_);
    ++frames_;
    video_seconds_ += seconds;
  }
  /// The share of an input that is done.
  void at(const WatchInput& input, double share) {
    const std::lock_guard lock(mutex_);
    under_way_[&input] = share * weight_of(input);
    show();
  }
  void ended(const WatchInput& input) {
    const std::lock_guard lock(mutex_);
    under_way_.erase(&input);
    done_ += weight_of(input);
    ++inputs_done_;
    show();
  }
  void say(const std::string& line) {
    const std::lock_guard lock(mutex_);
    progress_.clear();
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  void clear() { progress_.clear(); }

 private:
  void show() {
    double done = done_;
    for (const auto& [input, share] : under_way_) done += share;
    const double spent = std::max(1e-3, seconds_since(begun_));
    char note[96];
    const int length = std::snprintf(note, sizeof note, "%zu of %zu, %.0f frames/s", inputs_done_,
                                     inputs_, static_cast<double>(frames_) / spent);
    if (video_seconds_ > 0)
      std::snprintf(note + length, sizeof note - static_cast<std::size_t>(length),
                    ", %.1f times real time", video_seconds_ / spent);
    progress_.update(done, whole_, note);
  }

  std::mutex mutex_;
  Progress progress_{"watching"};
  const double whole_;
  const std::size_t inputs_;
  const Clock::time_point begun_ = Clock::now();
  std::map<const WatchInput*, double> under_way_;
  double done_ = 0, video_seconds_ = 0;
  std::size_t inputs_done_ = 0, frames_ = 0;
};

class Workers {
 public:
  Workers(const FoundInputs& inputs, const WatchSettings& settings, const Parts& parts)
      : units_(inputs.units),
        settings_(settings),
        parts_(parts),
        files_(inputs.units.size()),
        progress_(work_left()) {}

  void run(int jobs) {
    std::vector<std::thread> threads;
    for (int i = 0; i < std::min(jobs, static_cast<int>(units_.size())); ++i)
      threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    progress_.clear();
    if (failed_) std::rethrow_exception(failed_);
  }

  /// The part of each unit; empty: it was not begun.
  const std::vector<fs::path>& files() const { return files_; }
  std::size_t resumed() const { return resumed_; }
  bool stopped() const { return stopped_; }

 private:
  /// What no part holds, by weight and number. Notes what one does.
  std::pair<double, std::size_t> work_left() {
    std::pair<double, std::size_t> left;
    for (std::size_t i = 0; i < units_.size(); ++i) {
      std::error_code error;
      // What a camera shows is new each time.
      const bool repeats = units_[i].front().kind != WatchKind::kCamera;
      if (const fs::path done = parts_.done(units_[i]); repeats && fs::exists(done, error)) {
        files_[i] = done;
        resumed_ += units_[i].size();
        continue;
      }
      left.second += units_[i].size();
      for (const WatchInput& input : units_[i]) left.first += weight_of(input);
    }
    return left;
  }

  void work() {
    try {
      std::unique_ptr<PhotoWatcher> photos;
      for (std::size_t i; (i = next_++) < units_.size();) {
        if (stop_requested || broken_) return;
        if (files_[i].empty()) watch(i, photos);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failed_) failed_ = std::current_exception();
      broken_ = true;
    }
  }

  void watch(std::size_t place, std::unique_ptr<PhotoWatcher>& photos) {
    const WatchUnit& unit = units_[place];
    const fs::path done = parts_.done(unit);
    PartWriter part(done);
    bool stopped = false;
    for (const WatchInput& input : unit) {
      if (stop_requested || broken_) {
        stopped = true;
        break;
      }
      stopped = !watch(input, part, photos);
      progress_.ended(input);
    }
    if (broken_) return;
    part.commit();
    files_[place] = done;
    if (!stopped) return;
    files_[place] = parts_.stopped(unit);
    stopped_ = true;
    fs::rename(done, files_[place]);
  }

  /// False where it was stopped before its end.
  bool watch(const WatchInput& input, PartWriter& part, std::unique_ptr<PhotoWatcher>& photos) {
    WatchTally tally(input);
    const auto begun = Clock::now();
    double last = 0;
    const auto take = [&](const SeenFrame& frame) {
      tally.add(frame);
      part.add(input.name, frame);
      progress_.saw_frame(std::max(0.0, frame.time - last));
      last = frame.time;
    };
    try {
      if (input.kind == WatchKind::kPhoto) {
        if (!photos) photos = std::make_unique<PhotoWatcher>(settings_, !input.annotated.empty());
        take(photos->watch(input));
      } else {
        const WatchListener listener{take, [&](double share) {
                                       if (broken_) throw Interrupted();
                                       progress_.at(input, share);
                                     }};
        watch_video(input, settings_, listener, tally.result());
      }
    } catch (const UnreadableInput& error) {
      tally.result().error = error.what();
      progress_.say("fer: " + std::string(error.what()));
    }
    tally.result().work_seconds = seconds_since(begun);
    part.end(tally.result(), tally.classes());
    return !tally.result().stopped;
  }

  const std::vector<WatchUnit>& units_;
  const WatchSettings& settings_;
  const Parts& parts_;
  std::vector<fs::path> files_;
  std::size_t resumed_ = 0;
  SharedProgress progress_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stopped_{false};  ///< A unit was left before its end.
  std::atomic<bool> broken_{false};   ///< Another worker cannot go on.
  std::mutex mutex_;
  std::exception_ptr failed_;
};

}  // namespace

WatchRun watch_all(const FoundInputs& inputs, const WatchSettings& settings, const Parts& parts,
                   int jobs) {
  const auto begun = Clock::now();
  Workers workers(inputs, settings, parts);
  workers.run(jobs);
  WatchRun run;
  run.seconds = seconds_since(begun);
  run.resumed = workers.resumed();
  run.stopped = workers.stopped();
  run.unreadable = inputs.unreadable;
  for (const fs::path& file : workers.files()) {
    if (file.empty()) {
      run.stopped = true;
      continue;
    }
    run.parts.push_back(file);
    PartReader reader;
    reader.on_end = [&](WatchResult result, const auto&) {
      if (!result.error.empty()) run.unreadable.push_back(result.error);
      run.results.push_back(std::move(result));
    };
    reader.read(file);
  }
  return run;
}

}  // namespace fer
