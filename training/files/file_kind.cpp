#include "files/file_kind.h"

#include "files/csv_reader.h"

namespace fer {

bool is_image(const std::filesystem::path& path) {
  static const std::set<std::string> known{".png",  ".jpg", ".jpeg", ".bmp",
                                           ".webp", ".tif", ".tiff", ".pgm"};
  return path.filename().string()[0] != '.' && known.contains(lower(path.extension().string()));
}

bool is_video(const std::filesystem::path& path) {
  return !std::filesystem::is_directory(path) &&
         video_endings().contains(lower(path.extension().string()));
}

const std::set<std::string>& video_endings() {
  static const std::set<std::string> known{".mp4", ".m4v", ".mov", ".mkv",  ".webm", ".avi",
                                           ".ts",  ".mts", ".mpg", ".mpeg", ".ogv",  ".flv"};
  return known;
}

}  // namespace fer
