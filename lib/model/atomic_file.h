// Files that are either whole or not there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
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

/// Writes a file piece by piece. The pieces go to a temporary file beside replaced_file(path), and
/// commit() fsyncs it, renames it there and fsyncs the folder. A crash at any instant leaves the
/// old file or the new one. To what is_stream() the pieces are written straight away. All members
/// throw std::runtime_error that names the path and the system's reason.
class FER_API AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  /// Without a commit() before, the temporary file is removed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Small pieces are collected before they are written.
  void append(std::string_view piece);
  /// Nothing may be appended afterwards.
  void commit();

 private:
  void write(std::string_view bytes);

  const std::filesystem::path path_;    ///< As it was named, for messages.
  const std::filesystem::path target_;  ///< What the temporary file is renamed to.
  std::string temporary_;               ///< Empty: there is none, or it has been renamed.
  std::string collected_;
  int fd_ = -1;
};

/// The same for pieces that are all at hand.
FER_API void write_atomically(const std::filesystem::path& path,
                              const std::vector<std::string_view>& pieces);

}  // namespace fer
