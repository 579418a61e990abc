// Files that a command is to write, looked at before a long job rather than after it.
#pragma once

#include <filesystem>
#include <vector>

namespace fer {

/// Throws std::runtime_error where `file` could not be written: its folder is missing or closed to
/// us, or it is a folder itself.
void require_writable(const std::filesystem::path& file);

/// Throws std::runtime_error where nothing could be written into `folder`: it is something else, or
/// closed to us; or it is not there and cannot be made.
void require_writable_folder(const std::filesystem::path& folder);

/// Throws std::runtime_error where one of `outputs` could not be written, is one of the files that
/// the command reads, or is named twice. Empty paths, and inputs that are no files, count for
/// nothing; devices and pipes may be named as often as one likes.
void require_outputs(const std::vector<std::filesystem::path>& outputs,
                     const std::vector<std::filesystem::path>& inputs);

}  // namespace fer
