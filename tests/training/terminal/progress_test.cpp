#include "terminal/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

namespace fer {
namespace {

using testing::HasSubstr;

/// stderr is a terminal of our own while it lives.
class Terminal {
 public:
  Terminal() {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return;
    const int end = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    std::fflush(stderr);
    before_ = ::dup(STDERR_FILENO);
    ::dup2(end, STDERR_FILENO);
    ::close(end);
  }
  ~Terminal() {
    if (before_ < 0) return;
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    ::close(master_);
  }
  bool works() const { return before_ >= 0; }

  /// What was written since the last call.
  std::string read() const {
    std::fflush(stderr);
    std::string text;
    for (pollfd ready{master_, POLLIN, 0}; ::poll(&ready, 1, 20) > 0 && (ready.revents & POLLIN);) {
      char bytes[1024];
      const ssize_t n = ::read(master_, bytes, sizeof bytes);
      if (n <= 0) break;
      text.append(bytes, static_cast<std::size_t>(n));
    }
    return text;
  }

 private:
  int master_ = -1, before_ = -1;
};

void wait_for_the_next_line() {
  std::this_thread::sleep_for(std::chrono::milliseconds(110));
}

TEST(Progress, RewritesItsLineOnATerminal) {
  const Terminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo-terminal can be had here";
  Progress progress("counting");
  wait_for_the_next_line();
  progress.update(1, 4, "one", 200);
  EXPECT_EQ(terminal.read(),
            "\r\033[Kcounting [######..................]  25.0 %  3 min 20 s left  one");
  wait_for_the_next_line();
  progress.update(3, 4, "three", 5);
  EXPECT_THAT(terminal.read(), testing::AllOf(testing::StartsWith("\r\033[Kcounting"),
                                              HasSubstr("75.0 %  5 s left  three")));
  // The end is shown at once.
  progress.update(4, 4);
  EXPECT_THAT(terminal.read(), HasSubstr("[########################] 100.0 %"));
  progress.clear();
  EXPECT_EQ(terminal.read(), "\r\033[K");
}

TEST(Progress, ClearsNothingWhereNothingStands) {
  const Terminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo-terminal can be had here";
  {
    Progress progress("short");
    progress.update(4, 4);
    progress.clear();
  }
  EXPECT_EQ(terminal.read(), "");
}

TEST(Progress, SurvivesStrangeTotals) {
  const Terminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo-terminal can be had here";
  Progress progress("odd");
  wait_for_the_next_line();
  progress.update(5, 0);
  EXPECT_THAT(terminal.read(), HasSubstr("100.0 %"));
  wait_for_the_next_line();
  progress.update(9, 3);
  EXPECT_THAT(terminal.read(), HasSubstr("100.0 %"));
}

TEST(Progress, IsSilentInALogOfAShortJob) {
  testing::internal::CaptureStderr();
  {
    Progress progress("short");
    for (int i = 0; i <= 10; ++i) progress.update(i, 10);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(DurationText, SuitsItsLength) {
  EXPECT_EQ(duration_text(-3), "0 s");
  EXPECT_EQ(duration_text(12.4), "12 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(3720), "1 h 02 min");
  EXPECT_EQ(duration_text(360000), "100 h 00 min");
}

}  // namespace
}  // namespace fer
