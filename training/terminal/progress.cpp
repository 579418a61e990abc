#include "terminal/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace fer {

std::string duration_text(double seconds) {
  const long s = std::max(0L, static_cast<long>(seconds + 0.5));
  char text[48];
  if (s >= 3600)
    std::snprintf(text, sizeof text, "%ld h %02ld min", s / 3600, s / 60 % 60);
  else if (s >= 60)
    std::snprintf(text, sizeof text, "%ld min %02ld s", s / 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ld s", s);
  return text;
}

Progress::Progress(std::string what) : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (terminal_ && shows_) std::fputs("\r\033[K", stderr);
  shows_ = false;
}

void Progress::update(double done, double total, const std::string& note, double seconds_left) {
  if (silent_) return;
  const auto now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(30000);
  // The end is shown at once, where there was anything to see before.
  if (now - shown_ < pause && (done < total || !shows_)) return;
  shown_ = now;
  shows_ = true;
  const double share = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 1;
  const double spent = std::chrono::duration<double>(now - begun_).count();
  // The first moments say little about the rest.
  if (seconds_left < 0 && share > 0 && spent > 1) seconds_left = spent / share * (1 - share);
  const std::string left = seconds_left < 0 ? "" : duration_text(seconds_left) + " left  ";
  constexpr int kWidth = 24;
  const int filled = static_cast<int>(share * kWidth);
  std::string bar(filled, '#');
  bar.resize(kWidth, '.');
  std::fprintf(stderr, "%s%s [%s] %5.1f %%  %s%s%s", terminal_ ? "\r\033[K" : "", what_.c_str(),
               bar.c_str(), share * 100, left.c_str(), note.c_str(), terminal_ ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace fer
