#include "report/run_record.h"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "build_info.h"
#include "model/atomic_file.h"
#include "network/runtime_info.h"
#include "util/json_text.h"
#include "util/without_secrets.h"

namespace fer {
namespace {

using nlohmann::json;

/// The words of this process's command line, without passwords; empty where the system does not
/// tell.
std::vector<std::string> command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');) words.push_back(without_secrets(word));
  return words;
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "";
}

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return "";
  return name;
}

/// Now, in UTC, as in "2025-01-31T12:00:00Z".
std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace

json texts_of(const std::vector<std::filesystem::path>& paths) {
  json texts = json::array();
  for (const auto& path : paths) texts.push_back(path.string());
  return texts;
}

RunRecord::RunRecord(std::filesystem::path file, json asked)
    : file_(std::move(file)), record_(std::move(asked)) {
  const RuntimeInfo runtime = runtime_info();
  record_["command"] = command_line();
  record_["commit"] = std::string(FER_COMMIT).empty() ? json() : json(FER_COMMIT);
  record_["host"] = {{"name", host_name()},
                     {"processor", processor()},
                     {"cores", std::thread::hardware_concurrency()}};
  record_["versions"] = {{"gst-fer", PACKAGE_VERSION},
                         {"libtorch", runtime.torch_version},
                         {"onednn", runtime.onednn_version}};
  record_["started"] = time_text();
  record_["state"] = "running";
}

void RunRecord::start() {
  if (started_) return;
  started_ = true;
  write();
}

void RunRecord::finish(const TrainResult& result) {
  if (!started_ && std::filesystem::exists(file_)) return;
  record_["state"] = result.stopped ? "stopped" : "done";
  record_["best"] = result.best;
  record_["last"] = result.last;
  record_["wall_s"] = result.seconds;
  record_["ended"] = time_text();
  write();
}

void RunRecord::write() const {
  write_atomically(file_, {json_text(record_, 2) + "\n"});
}

}  // namespace fer
