// Files that shrink while they are mapped.
//
// Reading a page that the file has no more raises SIGBUS, which ends the process. While a
// MappingGuard lives, such a page of its mapping reads as zeros instead, and a flag says so:
// whoever reads the mapping asks the flag, and reports an error. (systemd handles its journal's
// files in the same way: src/basic/sigbus.c.)
#pragma once

#include <atomic>
#include <cstddef>

namespace fer {

class MappingGuard {
 public:
  /// Of a mapping of a file; it ends before the mapping does. The first one installs a handler of
  /// SIGBUS, which hands all other faults on to the handler that was there. Throws
  /// std::runtime_error where more than 1024 live.
  MappingGuard(const void* begin, std::size_t bytes);
  ~MappingGuard();
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;

  bool shrank() const;

 private:
  std::size_t place_ = 0;
};

/// The flag of the guarded mapping that holds `address`, which lives as long as the process; null
/// where no guard has it.
const std::atomic<bool>* shrank_flag(const void* address);

}  // namespace fer
