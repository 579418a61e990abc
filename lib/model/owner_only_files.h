// Files that nobody but their owner reads.
#pragma once

#include "export.h"

namespace fer {

/// While one lives, write_atomically() on this thread makes its files with mode 0600, from the
/// first byte on. The process's umask, which all threads share, stays as it is.
class FER_API OwnerOnlyFiles {
 public:
  OwnerOnlyFiles();
  ~OwnerOnlyFiles();
  OwnerOnlyFiles(const OwnerOnlyFiles&) = delete;
  OwnerOnlyFiles& operator=(const OwnerOnlyFiles&) = delete;
};

}  // namespace fer
