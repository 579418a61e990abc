#include "vision/trial_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>

#include "util/build_tree.h"

extern char** environ;

namespace fer {
namespace {

using Clock = std::chrono::steady_clock;

std::filesystem::path path_of(const TrialProgram& program) {
  const std::filesystem::path folder =
      in_build_tree() ? std::filesystem::path(FER_BUILD_FOLDER) / program.build_folder
                      : std::filesystem::path(FER_INSTALLED_PROGRAMS);
  return folder / program.name;
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::runtime_error("a file that cannot be tried: " + what + ": " +
                           std::generic_category().message(error));
}

/// The bytes as a file without a name, to be read from its beginning.
int file_of(const std::string& bytes) {
  const int fd = ::memfd_create("trial", MFD_CLOEXEC);
  if (fd < 0) fail("no memory for it", errno);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      ::close(fd);
      fail("no memory for it", errno);
    }
    done += static_cast<std::size_t>(written);
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

/// Starts the program with `in` and `out` as its standard input and output.
pid_t start(const TrialProgram& program, int in, int out) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, 0);
  posix_spawn_file_actions_adddup2(&files, out, 1);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string path = path_of(program).string();
  std::vector<std::string> texts = program.arguments;
  std::vector<char*> arguments{path.data()};
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, path.c_str(), &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) fail(path, error);
  return pid;
}

/// What comes until the other end is closed; false in `ended` where that took too long.
std::string read_all(int fd, bool& ended) {
  const auto limit = Clock::now() + std::chrono::seconds(kTrialSeconds);
  std::string text;
  std::array<char, 4096> piece{};
  ended = false;
  while (!ended) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - Clock::now()).count();
    if (left <= 0) break;
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready <= 0) continue;
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    ended = got <= 0;
    if (!ended) text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

TrialResult try_in_process(const TrialProgram& program, const std::string& bytes) {
  try {
    const Descriptor file(file_of(bytes));
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("no pipe", errno);
    const Descriptor from(ends[0]);
    Descriptor to(ends[1]);
    const pid_t pid = start(program, file.get(), to.get());
    to.reset();
    bool ended = false;
    const std::string said = read_all(from.get(), ended);
    if (!ended) ::kill(pid, SIGKILL);
    // Nothing is asked of the status: who ignores SIGCHLD has none.
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (!ended) {
      return {false, "a file that takes more than " + std::to_string(kTrialSeconds) + " s to open"};
    }
    const bool works = !said.empty() && said[0] == kTrialWorks;
    if (works || (!said.empty() && said[0] == kTrialFails)) return {works, said.substr(1)};
    return {false, "a file that ends the process which opens it"};
  } catch (const std::runtime_error& error) {
    return {false, error.what()};
  }
}

std::vector<std::uint8_t> trial_noise(std::size_t size) {
  std::vector<std::uint8_t> noise(size);
  std::uint32_t state = 1;
  for (std::uint8_t& value : noise) {
    state = state * 1664525 + 1013904223;
    value = static_cast<std::uint8_t>(state >> 24);
  }
  return noise;
}

}  // namespace fer
