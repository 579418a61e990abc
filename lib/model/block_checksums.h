// Checksums of large mapped files, a block at a time: what is never read is never checked.
// docs/reference/packed-data.md describes them.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "export.h"
#include "model/safetensors.h"

namespace fer {

/// The tensor that holds the checksums, and has none itself.
inline constexpr char kChecksumTensor[] = "checksums";

/// Bytes of a tensor that one checksum covers; the last block of a tensor may be shorter.
inline constexpr std::size_t kChecksumBlock = 64 << 10;

/// As write_safetensors(), with the tensor "checksums" (one number per block of each other tensor,
/// in the order of their names) and, over it and all that describes the tensors, the metadata
/// "checksum". Against accidents, not against forgers.
FER_API void write_with_checksums(const std::filesystem::path& path,
                                  std::map<std::string, TensorView> tensors,
                                  std::map<std::string, std::string> metadata);

/// Compares a file with its checksums.
class FER_API BlockChecksums {
 public:
  /// `file` must outlive it; `name` stands for it in messages. Throws std::runtime_error where what
  /// the file says of itself is not what was written, and where it has no checksums although they
  /// are `required`. Without any, only shrinking is noticed.
  BlockChecksums(const SafetensorsFile& file, const std::string& name, bool required);

  /// False where the file has none.
  bool any() const { return !sums_.empty(); }

  /// To be called before these bytes of a tensor are read. Throws std::runtime_error where they are
  /// not what was written, or the file has shrunk since it was opened. Thread-safe, and quick but
  /// for the first time.
  void need(const void* data, std::size_t bytes) const;
  void need(const TensorView& tensor) const { need(tensor.data, tensor.bytes); }

 private:
  struct Range {
    const char *begin = nullptr, *end = nullptr;
    std::size_t first_block = 0;
    std::string tensor;
  };
  void check(const Range& range, std::size_t block) const;
  void require_whole() const;

  const std::string name_;
  const std::atomic<bool>* shrank_ = nullptr;  ///< Null: the file is not mapped.
  std::vector<std::uint64_t> sums_;            ///< One per block.
  std::vector<Range> ranges_;                  ///< By their place in memory.
  std::unique_ptr<std::atomic<bool>[]> checked_;
};

}  // namespace fer
