// What a file is by its name.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace fer {

/// True for a name that ends as those of pictures do. Names that begin with a dot are other
/// programs' ("._face.jpg" of macOS is no image).
bool is_image(const std::filesystem::path& path);

/// True for a name that ends as those of videos do, unless it is a folder's.
bool is_video(const std::filesystem::path& path);

/// ".mp4" and its kin.
const std::set<std::string>& video_endings();

}  // namespace fer
