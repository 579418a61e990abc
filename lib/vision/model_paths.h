// Where models are looked for. No OpenCV in it: whoever looks for another kind of model uses it
// too.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace fer {

/// The folders to look in for models, best first: those of FER_MODELS (colon-separated), the source
/// tree's models folder, the user's cache ($XDG_CACHE_HOME/gst-fer/models), the installed data
/// folder. FER_SOURCE_MODELS and FER_INSTALLED_MODELS come from the build (paths_args).
inline std::vector<std::filesystem::path> model_folders() {
  std::vector<std::filesystem::path> folders;
  if (const char* list = std::getenv("FER_MODELS")) {
    std::istringstream stream(list);
    for (std::string folder; std::getline(stream, folder, ':');) {
      if (!folder.empty()) folders.emplace_back(folder);
    }
  }
  folders.emplace_back(FER_SOURCE_MODELS);
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0') {
    folders.push_back(std::filesystem::path(cache) / "gst-fer" / "models");
  } else if (home != nullptr && *home != '\0') {
    folders.push_back(std::filesystem::path(home) / ".cache" / "gst-fer" / "models");
  }
  folders.emplace_back(FER_INSTALLED_MODELS);
  return folders;
}

}  // namespace fer
