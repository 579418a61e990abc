// The checksum of the ONNX files that `fer export` writes.
//
// It is the file's last entry: metadata (ModelProto.metadata_props, field 14) with the key
// "checksum" and 64 hex digits, the SHA-256 of all bytes before that entry. So every byte counts,
// and other programs read the file as any other.
#pragma once

#include <string>
#include <string_view>

#include "util/sha256.h"

namespace fer {

enum class OnnxChecksum {
  kNone,   ///< The file does not end in one.
  kRight,  ///< The bytes are those that were written.
  kWrong,
};

namespace onnx_checksum {

// Protobuf's wire format: a field's number and type in one byte, then a length, then the bytes.
inline constexpr std::string_view kEntry = "\x72\x4c";
inline constexpr std::string_view kKey =
    "\x0a\x08"
    "checksum"
    "\x12\x40";
inline constexpr std::size_t kDigits = 64;
inline constexpr std::size_t kSize = kEntry.size() + kKey.size() + kDigits;
static_assert(kKey.size() + kDigits == 0x4c);

inline std::string entry_for(std::string_view model) {
  return std::string(kEntry).append(kKey).append(sha256(model));
}

}  // namespace onnx_checksum

/// The bytes of an ONNX file with its checksum appended.
inline std::string with_onnx_checksum(const std::string& model) {
  return model + onnx_checksum::entry_for(model);
}

/// Compares the checksum with the bytes before it.
inline OnnxChecksum check_onnx(std::string_view file) {
  using namespace onnx_checksum;
  if (file.size() < kSize) return OnnxChecksum::kNone;
  const std::string_view model = file.substr(0, file.size() - kSize);
  const std::string_view entry = file.substr(model.size());
  if (entry == entry_for(model)) return OnnxChecksum::kRight;
  return entry.substr(kEntry.size(), kKey.size()) == kKey ? OnnxChecksum::kWrong
                                                          : OnnxChecksum::kNone;
}

}  // namespace fer
