#include "stream/checkpoint_folder.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "model/atomic_file.h"
#include "stream/checkpoint_names.h"
#include "util/json_text.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// Version 0.1 set no marker, but it always kept this log.
constexpr char kLog[] = "log.jsonl";
constexpr char kServed[] = "served.fer";

bool is_there(const fs::path& file) {
  std::error_code unknown;
  return fs::exists(file, unknown) && !unknown;
}

/// The first file that a learner would write over or delete; empty where there is none.
std::string contested_file(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name == kServed || CheckpointName::parse(name)) return name;
  }
  return {};
}

/// Whether the lock that is held is still the folder's.
bool is_same_file(const fs::path& file, int held) {
  struct stat at_path {
  }, at_handle{};
  return ::stat(file.c_str(), &at_path) == 0 && ::fstat(held, &at_handle) == 0 &&
         at_path.st_dev == at_handle.st_dev && at_path.st_ino == at_handle.st_ino;
}

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path path, std::string source)
    : path_(std::move(path)), source_(std::move(source)) {
  claim();
}

void CheckpointFolder::ensure() {
  if (lock_ && is_same_file(path_ / "lock", lock_->file()) && is_there(path_ / kMarker)) return;
  lock_.reset();
  claim();
}

void CheckpointFolder::claim() {
  std::error_code ignored;
  const bool fresh = !is_there(path_) || fs::is_empty(path_, ignored);
  const bool ours = is_there(path_ / kMarker) || is_there(path_ / kLog);
  if (!fresh && !ours) {
    if (const std::string file = contested_file(path_); !file.empty()) {
      throw FolderForeign(path_.string() +
                          ": expected a learner's folder, or one without files of "
                          "its names, found " +
                          file + " but no " + kMarker + "; name another folder");
    }
  }
  auto lock = std::make_unique<FolderLock>(path_, "learner", FolderLock::Children::kNoHold);
  if (fresh) fs::permissions(path_, fs::perms::owner_all, ignored);
  if (!is_there(path_ / kMarker)) {
    const nlohmann::json marker{
        {"format", "gst-fer-learner/1"},
        {"about", "A learner of gst-fer keeps its checkpoints here and deletes old ones."},
        {"source_version", source_}};
    write_atomically(path_ / kMarker, {json_text(marker, 2) + "\n"});
  }
  lock_ = std::move(lock);
}

}  // namespace fer
