// What files take on disk.
#pragma once

#include <filesystem>
#include <string>

namespace fer {

/// "4.2 GB", "13 MB", "900 bytes".
std::string size_text(double bytes);

/// Throws std::runtime_error where the folder's disk has fewer bytes free; `remedy` ends the
/// sentence.
void require_space(const std::filesystem::path& folder, double bytes, const std::string& remedy);

}  // namespace fer
