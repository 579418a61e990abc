// The built program `fer`, started from a test. FER_PROGRAM names it.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "content.h"
#include "scoped.h"

extern char** environ;

namespace fer::test {

struct Outcome {
  int code = -1;  ///< -1: a signal ended it.
  std::string out, err;
};

/// `fer` at work. What nobody waited for is killed.
class Fer {
 public:
  /// `variables`: of its environment, besides those of the test.
  explicit Fer(const std::vector<std::string>& arguments,
               const std::map<std::string, std::string>& variables = {}) {
    std::vector<std::string> words{std::getenv("FER_PROGRAM")};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> settings;
    for (char** setting = environ; *setting; ++setting) {
      const std::string text = *setting;
      if (!variables.contains(text.substr(0, text.find('=')))) settings.push_back(text);
    }
    for (const auto& [name, value] : variables) settings.push_back(name + "=" + value);
    std::vector<char*> argv = pointers(words), environment = pointers(settings);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const auto to = [&](int fd, const char* name) {
      const std::string path = folder_.path() / name;
      posix_spawn_file_actions_addopen(&actions, fd, path.c_str(), O_WRONLY | O_CREAT, 0600);
    };
    to(STDOUT_FILENO, "out");
    to(STDERR_FILENO, "err");
    const int failed =
        ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    // Signals must not go to whoever else a pid of -1 stands for.
    if (failed != 0) throw std::system_error(failed, std::generic_category(), argv[0]);
  }
  ~Fer() {
    signal(SIGKILL);
    wait();
  }
  Fer(const Fer&) = delete;
  Fer& operator=(const Fer&) = delete;

  /// Waits until `condition` holds or the program has ended.
  template <typename Condition>
  void wait_until(Condition condition) {
    while (!condition() && !ended()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  /// True once it has said what is to be done about SIGINT.
  bool catches_signals() const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(in, line);) {
      if (line.rfind("SigCgt:", 0) == 0)
        return (std::stoull(line.substr(7), nullptr, 16) >> (SIGINT - 1)) & 1;
    }
    return false;
  }

  void signal(int number) const {
    if (!ended_) ::kill(pid_, number);
  }

  Outcome wait() {
    if (!ended_) ::waitpid(pid_, &status_, 0);
    ended_ = true;
    return {WIFEXITED(status_) ? WEXITSTATUS(status_) : -1, content(folder_.path() / "out"),
            content(folder_.path() / "err")};
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  bool ended() {
    if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return ended_;
  }

  const ScopedFolder folder_;
  pid_t pid_ = 0;
  int status_ = 0;
  bool ended_ = false;
};

inline Outcome fer(const std::vector<std::string>& arguments) {
  return Fer(arguments).wait();
}

}  // namespace fer::test
