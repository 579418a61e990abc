// The safetensors format: named tensors and string metadata, nothing executable.
// https://github.com/huggingface/safetensors#format
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "export.h"

namespace fer {

/// Element types that we read and write.
enum class DType { kU8, kI64, kF32, kBF16, kF16 };

/// Bytes of one element.
std::size_t size_of(DType dtype);

/// One tensor of a file: row-major, contiguous, little-endian. `data` points into the mapping (or,
/// for writing, to the caller's memory).
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;
  std::size_t bytes = 0;
};

/// How a file comes into memory.
enum class FileAccess {
  /// Mapped: quick, for large files. Where one is truncated meanwhile, what is gone reads as zeros
  /// (mapping_guard.h); BlockChecksums notices. Its writers replace it (see atomic_file.h).
  kMapped,
  /// Read: for small ones that somebody may overwrite at any time.
  kRead,
};

/// A safetensors file, read-only. Every length, offset, shape and type has been checked against the
/// file's size before the constructor returns; tensors do not overlap.
class FER_API SafetensorsFile {
 public:
  /// Throws std::runtime_error that names the file, what was expected and what was found.
  explicit SafetensorsFile(const std::filesystem::path& path,
                           FileAccess access = FileAccess::kMapped);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return path_; }

  /// Throws std::runtime_error that names file and tensor where it is missing or of another type or
  /// rank.
  const TensorView& at(const std::string& name, DType dtype, std::size_t rank) const;
  /// Throws std::runtime_error that names file and key where it is missing.
  const std::string& meta(const std::string& key) const;

 private:
  class Content;

  std::filesystem::path path_;
  std::unique_ptr<const Content> content_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;

  void parse(std::string_view bytes);
};

/// Writes tensors and metadata atomically (see atomic_file.h). Data starts at a multiple of 64
/// bytes. Throws std::invalid_argument for a view whose bytes do not fit its shape.
FER_API void write_safetensors(const std::filesystem::path& path,
                               const std::map<std::string, TensorView>& tensors,
                               const std::map<std::string, std::string>& metadata);

}  // namespace fer
