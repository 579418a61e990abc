#include "watch/inputs.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <system_error>

#include "files/csv_reader.h"
#include "files/file_kind.h"
#include "util/join.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// Photos that are begun and finished together.
constexpr std::size_t kPhotosOfAUnit = 50;
constexpr char kCameraScheme[] = "v4l2://";

bool is_uri(const std::string& name) {
  return name.find("://") != std::string::npos;
}

/// "/dev/video0" of it, or of "v4l2:///dev/video0"; empty for what is no camera.
std::string camera_device(const std::string& name) {
  if (name.starts_with(kCameraScheme)) return name.substr(sizeof kCameraScheme - 1);
  return name.starts_with("/dev/video") ? name : "";
}

std::string cameras_found() {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/dev", ignored))
    if (entry.path().filename().string().starts_with("video"))
      found.push_back(entry.path().string());
  std::sort(found.begin(), found.end());
  return found.empty() ? "found no camera at all" : "found " + join(found);
}

class Finder {
 public:
  Finder(const fs::path& annotated, const std::vector<fs::path>& outputs) : annotated_(annotated) {
    for (const fs::path& output : outputs)
      if (!output.empty()) outputs_.insert(fs::weakly_canonical(output));
  }

  void add(const std::string& name) {
    std::error_code error;
    if (const std::string device = camera_device(name); !device.empty()) {
      if (!fs::exists(device, error)) {
        lose(name, "expected a camera, but there is no such device; " + cameras_found());
        return;
      }
      take(name, WatchKind::kCamera, fs::path(name).filename());
      found_.units.back().back().device = device;
    } else if (is_uri(name)) {
      const bool live = name.starts_with("rtsp://") || name.starts_with("rtsps://");
      take(name, live ? WatchKind::kCamera : WatchKind::kVideo, name_of_uri(name));
    } else if (fs::is_directory(name, error)) {
      add_folder(name);
    } else if (!fs::exists(name, error)) {
      lose(name, "no such file");
    } else if (!fs::is_regular_file(name, error)) {
      lose(name, "expected a photo, a video, a folder, a camera or an address");
    } else {
      take(name, kind_of(name), fs::path(name).filename());
    }
  }

  FoundInputs found() {
    end_photos();
    for (const WatchUnit& unit : found_.units)
      for (const WatchInput& input : unit) require_no_input(input.annotated);
    return std::move(found_);
  }

 private:
  static WatchKind kind_of(const fs::path& file) {
    return is_image(file) ? WatchKind::kPhoto : WatchKind::kVideo;
  }

  static fs::path name_of_uri(const std::string& uri) {
    const fs::path last = fs::path(uri.substr(0, uri.find_first_of("?#"))).filename();
    return last.empty() ? fs::path("stream") : last;
  }

  void require_no_input(const fs::path& annotated) const {
    if (annotated.empty() || !files_.contains(fs::weakly_canonical(annotated))) return;
    throw std::runtime_error(one_line(annotated.string()) +
                             ": is watched by this command, and would be lost; name another "
                             "folder in --annotated");
  }

  void lose(const std::string& name, const std::string& why) {
    found_.unreadable.push_back(one_line(name) + ": " + why);
  }

  /// Whether something below the folder is one of our outputs, or lies in one.
  bool is_output(const fs::path& file, const fs::path& folder) const {
    if (outputs_.empty()) return false;
    const fs::path top = fs::weakly_canonical(folder);
    for (fs::path at = fs::weakly_canonical(file); at != top && at.has_relative_path();
         at = at.parent_path())
      if (outputs_.contains(at)) return true;
    return false;
  }

  void add_folder(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    const auto open = fs::directory_options::skip_permission_denied;
    for (auto it = fs::recursive_directory_iterator(folder, open, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      std::error_code gone;
      const bool ours = is_image(it->path()) || is_video(it->path());
      if (ours && it->is_regular_file(gone) && it->path().filename().string()[0] != '.' &&
          !is_output(it->path(), folder))
        files.push_back(it->path());
    }
    if (error) {
      lose(folder.string(), "cannot be read: " + error.message());
    } else if (files.empty()) {
      lose(folder.string(), "expected a folder with photos or videos, found none in it");
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files)
      take(file.string(), kind_of(file), file.lexically_relative(folder));
    end_photos();
  }

  void take(const std::string& name, WatchKind kind, const fs::path& below) {
    WatchInput input;
    input.name = name;
    input.kind = kind;
    std::error_code unknown;
    if (kind != WatchKind::kCamera && !is_uri(name)) {
      input.bytes = fs::file_size(name, unknown);
      if (unknown) input.bytes = 0;
      files_.insert(fs::weakly_canonical(name));
      input.modified = fs::last_write_time(name, unknown).time_since_epoch().count();
    }
    if (!annotated_.empty()) input.annotated = annotated_ / free_name(below, kind);
    ++found_.inputs;
    if (kind == WatchKind::kPhoto) {
      photos_.push_back(std::move(input));
      if (photos_.size() == kPhotosOfAUnit) end_photos();
    } else {
      end_photos();
      found_.units.push_back({std::move(input)});
    }
  }

  /// "a.mov.mp4" of "a.mov"; numbered where another input has that already.
  fs::path free_name(fs::path below, WatchKind kind) {
    const std::string ending = lower(below.extension().string());
    const bool photo = kind == WatchKind::kPhoto;
    if (photo ? ending != ".jpg" && ending != ".jpeg" : ending != ".mp4")
      below += photo ? ".jpg" : ".mp4";
    fs::path free = below;
    for (int i = 2; !annotated_names_.insert(free).second; ++i) {
      free = below.parent_path() / below.stem();
      free += '-';
      free += std::to_string(i) + below.extension().string();
    }
    return free;
  }

  void end_photos() {
    if (!photos_.empty()) found_.units.push_back(std::move(photos_));
    photos_.clear();
  }

  const fs::path annotated_;
  std::set<fs::path> outputs_, annotated_names_, files_;
  WatchUnit photos_;  ///< Of the unit that is being put together.
  FoundInputs found_;
};

}  // namespace

FoundInputs find_inputs(const std::vector<std::string>& names, const fs::path& annotated,
                        const std::vector<fs::path>& outputs) {
  Finder finder(annotated, outputs);
  for (const std::string& name : names) finder.add(name);
  return finder.found();
}

std::string one_line(const std::string& name) {
  std::string line;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      char text[16];
      std::snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned>(byte));
      line += text;
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace fer
