// The folders in which models are looked for. Free of OpenCV, since it serves all kinds of models.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "model_dirs.h"
#include "util/build_tree.h"

namespace fer {

/// The folders that the user named in FER_MODELS (colon-separated), best first.
inline std::vector<std::filesystem::path> named_model_folders() {
  std::vector<std::filesystem::path> folders;
  if (const char* list = std::getenv("FER_MODELS")) {
    std::istringstream stream(list);
    for (std::string folder; std::getline(stream, folder, ':');) {
      if (!folder.empty()) folders.emplace_back(folder);
    }
  }
  return folders;
}

/// The folders that are looked in whatever the user named, best first: the source tree's models
/// folder where this runs from the build tree, the user's cache ($XDG_CACHE_HOME/gst-fer/models),
/// the installed data folder. The environment's FER_SHIPPED_MODELS replaces the first and the last,
/// where what was installed lies elsewhere now.
inline std::vector<std::filesystem::path> usual_model_folders() {
  const char* shipped = std::getenv("FER_SHIPPED_MODELS");
  std::vector<std::filesystem::path> folders;
  if (shipped != nullptr) {
    folders.emplace_back(shipped);
  } else if (in_build_tree()) {
    folders.emplace_back(FER_SOURCE_MODELS);
  }
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0') {
    folders.push_back(std::filesystem::path(cache) / "gst-fer" / "models");
  } else if (home != nullptr && *home != '\0') {
    folders.push_back(std::filesystem::path(home) / ".cache" / "gst-fer" / "models");
  }
  if (shipped == nullptr) folders.emplace_back(FER_INSTALLED_MODELS);
  return folders;
}

/// All of them, those that the user named first.
inline std::vector<std::filesystem::path> model_folders() {
  std::vector<std::filesystem::path> folders = named_model_folders();
  const std::vector<std::filesystem::path> usual = usual_model_folders();
  folders.insert(folders.end(), usual.begin(), usual.end());
  return folders;
}

}  // namespace fer
