#include "sweep/job_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <thread>

extern char** environ;

namespace fer {
namespace {

constexpr int kNotStarted = 127;
constexpr std::chrono::milliseconds kTick(200);

/// The child's process id; -1 where it could not be started.
pid_t start(const Job& job) {
  std::vector<char*> argv;
  for (const std::string& word : job.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, job.output.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0666);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  // Of a process group of its own: Ctrl-C reaches us alone, and we pass it on.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? child : -1;
}

int exit_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Jobs at work, by their process ids. Those that an exception leaves behind would be nobody's
/// children, out of Ctrl-C's reach: they are ended first.
class Running {
 public:
  Running() = default;
  ~Running() {
    terminate();
    for (const auto& [child, job] : jobs_) {
      int status = 0;
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  std::map<pid_t, const Job*>* operator->() { return &jobs_; }

  void terminate() const {
    for (const auto& [child, job] : jobs_) ::kill(child, SIGTERM);
  }

 private:
  std::map<pid_t, const Job*> jobs_;
};

}  // namespace

bool run_jobs(const std::vector<Job>& jobs, int parallel, const JobEvents& events,
              const std::atomic<bool>& stop) {
  Running running;
  std::size_t next = 0, done = 0;
  bool told = false;
  while (done < jobs.size()) {
    while (!stop && next < jobs.size() && running->size() < static_cast<std::size_t>(parallel)) {
      const Job& job = jobs[next++];
      const pid_t child = start(job);
      if (child > 0) {
        running->emplace(child, &job);
      } else {
        ++done;
        events.ended(job, kNotStarted);
      }
    }
    if (stop && !told) {
      told = true;
      running.terminate();
    }
    if (running->empty() && (stop || next == jobs.size())) break;
    std::vector<std::string> names;
    for (auto it = running->begin(); it != running->end();) {
      int status = 0;
      if (::waitpid(it->first, &status, WNOHANG) == it->first) {
        const Job& job = *it->second;
        it = running->erase(it);
        ++done;
        events.ended(job, exit_status(status));
      } else {
        names.push_back(it->second->name);
        ++it;
      }
    }
    events.tick(done, names);
    if (!running->empty()) std::this_thread::sleep_for(kTick);
  }
  return done == jobs.size();
}

}  // namespace fer
