#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

#include "line-sink.h"

namespace fer {
namespace {

constexpr int kWaitMs = 50;
/// What a pipe takes without blocking once poll() says that it takes something (POSIX's PIPE_BUF on
/// Linux). So that standard output, which is shared with others, need not be made non-blocking.
constexpr std::size_t kChunk = 4096;

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// Who may read what people's faces show: the owner, and the group, which log collectors are in.
constexpr mode_t kMode = 0640;
/// How long a file that cannot be opened anew is left alone.
constexpr std::chrono::seconds kRetry(1);

/// A file descriptor, closed in the end unless it is somebody else's.
class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(int number, bool ours) : number_(number), ours_(ours) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept { *this = std::move(other); }
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset();
    number_ = std::exchange(other.number_, -1);
    ours_ = other.ours_;
    return *this;
  }

  void reset() {
    if (number_ >= 0 && ours_) close(number_);
    number_ = -1;
  }
  explicit operator bool() const { return number_ >= 0; }
  int operator*() const { return number_; }

 private:
  int number_ = -1;
  bool ours_ = true;
};

class FileSink : public LineSink {
 public:
  /// `path` is empty for what cannot be opened again. Without `file`, it is a FIFO's.
  FileSink(std::string name, std::string path, Descriptor file)
      : name_(std::move(name)), path_(std::move(path)), file_(std::move(file)) {
    struct stat status {};
    const bool known = file_ && fstat(*file_, &status) == 0;
    regular_ = known && S_ISREG(status.st_mode);
    fifo_ = !file_ || (known && S_ISFIFO(status.st_mode));
    connected_ = static_cast<bool>(file_);
    // Whoever truncates the file (logrotate's copytruncate) would else find it full of NUL bytes up
    // to where we were.
    if (regular_) fcntl(*file_, F_SETFL, fcntl(*file_, F_GETFL) | O_APPEND);
  }

  bool wait_ready(const std::stop_token&) override {
    if (!file_ && !open_fifo()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kWaitMs));
      return false;
    }
    if (!regular_) return wait_writable();
    if (!path_.empty()) follow_path();
    return true;
  }

  void write(const std::string& line, const std::stop_token& stop) override {
    std::string text = line + '\n';
    std::size_t done = 0;
    while (done < text.size()) {
      if (!regular_ && !wait_writable()) {
        if (!stop.stop_requested()) continue;
        throw std::runtime_error(name_ + " took no more when the stream ended.");
      }
      const std::size_t left = text.size() - done;
      const ssize_t count =
          ::write(*file_, text.data() + done, regular_ ? left : std::min(left, kChunk));
      if (count > 0) {
        done += static_cast<std::size_t>(count);
      } else if (count < 0 && errno != EINTR && errno != EAGAIN) {
        fail(errno, done);
      }
    }
  }

  bool connected() const override { return connected_; }
  bool ended() const override { return ended_; }
  std::uint64_t reconnects() const override { return reconnects_; }

 private:
  bool open_fifo() {
    file_ = Descriptor(open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), true);
    connected_ = static_cast<bool>(file_);
    if (file_ && std::exchange(lost_, false)) ++reconnects_;
    if (!file_ && errno != ENXIO) {
      throw std::runtime_error(name_ + " cannot be opened again: " + reason(errno) + ".");
    }
    return connected_;
  }

  /// Opens the file of that name where it is another one than ours: ours was moved or removed, as
  /// logrotate does. Where that fails, ours goes on.
  void follow_path() {
    struct stat ours {
    }, there{};
    const bool found = stat(path_.c_str(), &there) == 0;
    if (fstat(*file_, &ours) != 0 ||
        (found && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) ||
        Clock::now() < follow_at_) {
      return;
    }
    follow_at_ = Clock::now() + kRetry;
    const int mode = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    Descriptor fresh(open(path_.c_str(), mode, kMode), true);
    int error = errno;
    if (fresh && fstat(*fresh, &there) == 0 && !S_ISREG(there.st_mode)) {
      fresh.reset();
      error = EEXIST;
    }
    if (!fresh) {
      throw std::runtime_error(name_ + " was moved or removed, and cannot be opened anew: " +
                               reason(error) + ". Records go on into the one that was open.");
    }
    file_ = std::move(fresh);
    follow_at_ = {};
    ++reconnects_;
  }

  /// Errors count as writable: the write that follows says which.
  bool wait_writable() {
    pollfd wanted{*file_, POLLOUT, 0};
    const bool writable = poll(&wanted, 1, kWaitMs) > 0;
    if (fifo_ && path_.empty() && (wanted.revents & POLLERR) != 0) ended_ = true;
    return writable;
  }

  [[noreturn]] void fail(int error, std::size_t done) {
    if (regular_ && done > 0) take_back(static_cast<off_t>(done));
    if (error == EPIPE && path_.empty()) {
      ended_ = true;
      throw std::runtime_error(name_ + " has no reader any more.");
    }
    if (error == EPIPE && fifo_) {
      file_.reset();
      connected_ = false;
      lost_ = true;
      throw std::runtime_error(name_ + " has lost its reader.");
    }
    throw std::runtime_error(name_ + " cannot be written to: " + reason(error) + ".");
  }

  /// Cuts off the beginning of a line that could not be finished, unless others wrote behind it.
  void take_back(off_t count) {
    const off_t end = lseek(*file_, 0, SEEK_CUR);
    struct stat status {};
    if (end < count || fstat(*file_, &status) != 0 || status.st_size != end) return;
    if (ftruncate(*file_, end - count) == 0) lseek(*file_, end - count, SEEK_SET);
  }

  using Clock = std::chrono::steady_clock;

  const std::string name_, path_;
  Descriptor file_;
  bool regular_, fifo_;
  Clock::time_point follow_at_{};
  std::atomic<bool> ended_ = false;  ///< It had a reader, and cannot get another one.
  bool lost_ = false;                ///< It had a reader, and has none now.
  std::atomic<bool> connected_;
  std::atomic<std::uint64_t> reconnects_ = 0;
};

}  // namespace

std::unique_ptr<LineSink> open_file_sink(const std::string& path, bool append) {
  const std::string name = "The file " + path;
  struct stat status {};
  const bool fifo = stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
  // To open a FIFO waits for its reader, unless O_NONBLOCK says to fail with ENXIO.
  const int mode = fifo ? O_NONBLOCK : O_CREAT | O_APPEND | (append ? 0 : O_TRUNC);
  Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | mode, kMode), true);
  if (!file && !(fifo && errno == ENXIO)) {
    throw std::runtime_error(name + " cannot be opened for writing: " + reason(errno) + ".");
  }
  return std::make_unique<FileSink>(name, path, std::move(file));
}

std::unique_ptr<LineSink> open_descriptor_sink(int number) {
  const std::string name = number == STDOUT_FILENO
                               ? std::string("Standard output")
                               : std::string("File descriptor ") + std::to_string(number);
  const int flags = fcntl(number, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
    throw std::runtime_error(name + " is not open for writing" +
                             (flags < 0 ? ": " + reason(errno) : std::string()) + ".");
  }
  return std::make_unique<FileSink>(name, "", Descriptor(number, false));
}

}  // namespace fer
