// Files that are either whole or not there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "export.h"

namespace fer {

/// Writes the pieces one after the other to a temporary file beside `path`, fsyncs it, renames it
/// onto `path` and fsyncs the folder. A crash at any instant leaves the old file or the new one.
/// Throws std::runtime_error that names the path and the system's reason; the temporary is removed.
FER_API void write_atomically(const std::filesystem::path& path,
                              const std::vector<std::string_view>& pieces);

}  // namespace fer
