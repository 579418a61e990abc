#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
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
  /// `fifo_path` is empty for what need not be opened again.
  FileSink(std::string name, std::string fifo_path, Descriptor file)
      : name_(std::move(name)), fifo_path_(std::move(fifo_path)), file_(std::move(file)) {
    struct stat status {};
    regular_ = file_ && fstat(*file_, &status) == 0 && S_ISREG(status.st_mode);
    connected_ = static_cast<bool>(file_);
  }

  bool wait_ready(const std::stop_token&) override {
    if (!file_ && !open_fifo()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kWaitMs));
      return false;
    }
    return regular_ || wait_writable();
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
  std::uint64_t reconnects() const override { return reconnects_; }

 private:
  bool open_fifo() {
    file_ = Descriptor(open(fifo_path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), true);
    connected_ = static_cast<bool>(file_);
    if (file_ && std::exchange(lost_, false)) ++reconnects_;
    if (!file_ && errno != ENXIO) {
      throw std::runtime_error(name_ + " cannot be opened again: " + reason(errno) + ".");
    }
    return connected_;
  }

  /// Errors count as writable: the write that follows says which.
  bool wait_writable() const {
    pollfd wanted{*file_, POLLOUT, 0};
    return poll(&wanted, 1, kWaitMs) > 0;
  }

  [[noreturn]] void fail(int error, std::size_t done) {
    if (regular_ && done > 0) take_back(static_cast<off_t>(done));
    if (error == EPIPE && !fifo_path_.empty()) {
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

  std::string name_, fifo_path_;
  Descriptor file_;
  bool regular_;
  bool lost_ = false;  ///< It had a reader, and has none now.
  std::atomic<bool> connected_;
  std::atomic<std::uint64_t> reconnects_ = 0;
};

}  // namespace

std::unique_ptr<LineSink> open_file_sink(const std::string& path, bool append) {
  const std::string name = "The file " + path;
  struct stat status {};
  const bool fifo = stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
  // To open a FIFO waits for its reader, unless O_NONBLOCK says to fail with ENXIO.
  const int mode = fifo ? O_NONBLOCK : O_CREAT | (append ? O_APPEND : O_TRUNC);
  Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | mode, 0666), true);
  if (!file && !(fifo && errno == ENXIO)) {
    throw std::runtime_error(name + " cannot be opened for writing: " + reason(errno) + ".");
  }
  return std::make_unique<FileSink>(name, fifo ? path : "", std::move(file));
}

std::unique_ptr<LineSink> open_stdout_sink() {
  return std::make_unique<FileSink>("Standard output", "", Descriptor(STDOUT_FILENO, false));
}

}  // namespace fer
