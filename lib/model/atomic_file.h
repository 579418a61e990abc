// Files that are either whole or not there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "export.h"

namespace fer {

/// What a write to `path` is to replace: itself, or, of a symbolic link, what that leads to,
/// whether it is there or not. A link of the system's own (/dev/stdout) stays as it is.
FER_API std::filesystem::path replaced_file(const std::filesystem::path& path);

/// True for what is there and no file to be replaced, but somewhere that bytes go to: a character
/// device, a pipe.
FER_API bool is_stream(const std::filesystem::path& path);

/// Writes the pieces one after the other to a temporary file beside replaced_file(path), fsyncs
/// it, renames it there and fsyncs the folder. A crash at any instant leaves the old file or the
/// new one. To what is_stream() it writes straight away. Throws std::runtime_error that names the
/// path and the system's reason; the temporary is removed.
FER_API void write_atomically(const std::filesystem::path& path,
                              const std::vector<std::string_view>& pieces);

}  // namespace fer
