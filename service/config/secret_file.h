// Secrets that stand in files of their own: tokens and passwords.
#pragma once

#include <filesystem>
#include <string>

namespace fer {

/// Why the file is no place for a secret, as words that may follow a colon: it is missing, empty,
/// or others can read it. Empty where it is one.
std::string why_no_secret(const std::filesystem::path& file);

/// The file's first line. Throws std::runtime_error with the file and why_no_secret().
std::string read_secret(const std::filesystem::path& file);

/// The path with a leading $NAME/ of it as the environment says, for systemd's
/// $CREDENTIALS_DIRECTORY and $STATE_DIRECTORY. Relative paths begin at `folder`. Empty stays
/// empty.
std::filesystem::path resolved_path(const std::string& path, const std::filesystem::path& folder);

}  // namespace fer
