// What is to be watched: files, folders, addresses and cameras as people name them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace fer {

enum class WatchKind {
  kPhoto,
  kVideo,   ///< A file, or an address whose end is not known.
  kCamera,  ///< Frames come at their own pace; late ones are dropped rather than waited for.
};

/// One photo, one video or one camera.
struct WatchInput {
  std::string name;  ///< As it was named, or as it lies below the folder that was named.
  WatchKind kind = WatchKind::kVideo;
  std::string device;               ///< Of a camera of this machine: /dev/video0.
  std::uintmax_t bytes = 0;         ///< Of its file; 0 where it has none.
  std::int64_t modified = 0;        ///< Of its file, in the file system's own count.
  std::filesystem::path annotated;  ///< Where its overlay goes; empty: nowhere.
};

/// What one worker takes at a time: a video, a camera, or some photos of a folder.
using WatchUnit = std::vector<WatchInput>;

/// An input that cannot be watched, while others can. Its text names it.
struct UnreadableInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct FoundInputs {
  std::vector<WatchUnit> units;
  std::size_t inputs = 0;
  std::vector<std::string> unreadable;  ///< A sentence for each name that leads to nothing.
};

/// Looks up `names`. A folder stands for the photos and videos in it and in its folders, in the
/// order of their names; what lies in or is one of `outputs` is left out. Where `annotated` is not
/// empty, each input gets a file of its own in it: the same name below the folder that was named,
/// with .mp4 or .jpg behind it where it ends otherwise. Throws std::runtime_error where that would
/// overwrite an input.
FoundInputs find_inputs(const std::vector<std::string>& names,
                        const std::filesystem::path& annotated,
                        const std::vector<std::filesystem::path>& outputs);

/// A name in one line: control characters as \n or \x1b.
std::string one_line(const std::string& name);

}  // namespace fer
