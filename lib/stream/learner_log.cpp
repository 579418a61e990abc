#include "stream/learner_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono_literals::operator""s;

constexpr char kFile[] = "log.jsonl";
constexpr char kOlderFile[] = "log.1.jsonl";
constexpr std::uint64_t kSteps = 10;
constexpr auto kStepsApart = 5s;
constexpr auto kFacesApart = 60s;

[[noreturn]] void fail(const fs::path& path, const char* what) {
  throw std::runtime_error(path.string() + ": " + what + ": " +
                           std::generic_category().message(errno));
}

/// Differs wherever something was decided in between; a reset is not counted elsewhere.
std::string decided(const LearnerStats& s) {
  return s.decision + " " + std::to_string(s.promotions) + " " + std::to_string(s.kept) + " " +
         std::to_string(s.rollbacks);
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

struct File {
  explicit File(const fs::path& path)
      : fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const int fd;
};

bool ends_in_a_line(int fd) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  char last = '\n';
  return size <= 0 || ::pread(fd, &last, 1, size - 1) != 1 || last == '\n';
}

void read_lines(const fs::path& path, std::vector<json>& entries) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    json entry = json::parse(line, nullptr, /*allow_exceptions=*/false);
    // A training run's log has the same name.
    if (entry.is_object() && entry.contains("serving_version")) entries.push_back(std::move(entry));
  }
}

}  // namespace

LearnerLog::LearnerLog(fs::path folder, std::uintmax_t max_bytes)
    : path_(folder / kFile), older_(folder / kOlderFile), max_bytes_(max_bytes) {}

bool LearnerLog::is_due(const LearnerStats& stats,
                        std::chrono::steady_clock::time_point now) const {
  if (!any_ || decided(stats) != decided_) return true;
  if (stats.steps >= steps_ + kSteps) return now - at_ >= kStepsApart;
  return (stats.steps != steps_ || stats.faces != faces_) && now - at_ >= kFacesApart;
}

void LearnerLog::append(const LearnerStats& stats, std::chrono::steady_clock::time_point now) {
  any_ = true;
  at_ = now;
  steps_ = stats.steps;
  faces_ = stats.faces;
  decided_ = decided(stats);
  json entry = stats;
  entry["time"] = utc_now();
  // Labels and reasons come from files: what is no UTF-8 in them must not stop the log.
  std::string line = entry.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  std::error_code error;
  fs::create_directories(path_.parent_path(), error);
  if (error) {
    throw std::runtime_error(path_.string() + ": cannot make its folder: " + error.message());
  }
  rotate(line.size());
  const File file(path_);
  if (file.fd < 0) fail(path_, "cannot open");
  if (!ends_in_a_line(file.fd)) line.insert(line.begin(), '\n');
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(file.fd, rest.data(), rest.size());
    if (written >= 0)
      rest.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      fail(path_, "cannot write");
  }
}

std::optional<std::string> LearnerLog::append_if_due(const LearnerStats& stats,
                                                     std::chrono::steady_clock::time_point now,
                                                     bool always) {
  if (!always && !is_due(stats, now)) return std::nullopt;
  try {
    append(stats, now);
    failed_ = false;
  } catch (const std::exception& failed) {
    if (!std::exchange(failed_, true)) return failed.what();
  }
  return std::nullopt;
}

void LearnerLog::rotate(std::uintmax_t more) const {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path_, error);
  if (error || size == 0 || size + more <= max_bytes_) return;
  fs::rename(path_, older_, error);
  if (error) {
    throw std::runtime_error(older_.string() +
                             ": cannot rename the full log to it: " + error.message());
  }
}

std::vector<json> read_learner_log(const fs::path& folder) {
  std::vector<json> entries;
  read_lines(folder / kOlderFile, entries);
  read_lines(folder / kFile, entries);
  return entries;
}

}  // namespace fer
