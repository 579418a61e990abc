// Which bytes of a foreign file its owner means: the file NAME.sha256 beside it, as sha256sum
// writes it. One changed byte of weights makes a network that runs like any other.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "util/read_file.h"

namespace fer {

/// Where the owner of `file` says so.
inline std::filesystem::path sum_file_of(std::filesystem::path file) {
  return file += ".sha256";
}

/// True where there is such a file.
inline bool is_vouched_for(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(sum_file_of(file), ignored);
}

/// What is wrong with a file of that SHA-256 by the word of its owner; empty: nothing, or nobody
/// gave a word. Throws as read_file() does.
inline std::string fault_by_sum(const std::filesystem::path& file, const std::string& digest) {
  constexpr std::size_t kMaxSumFile = 4096;
  if (!is_vouched_for(file)) return {};
  const std::filesystem::path sums = sum_file_of(file);
  if (read_file(sums, kMaxSumFile).starts_with(digest)) return {};
  return "other content than " + sums.string() + " names: its SHA-256 is " + digest;
}

/// How the owner gives it.
inline std::string vouching_command(const std::filesystem::path& file) {
  return "sha256sum " + file.filename().string() + " > " + sum_file_of(file).filename().string();
}

}  // namespace fer
