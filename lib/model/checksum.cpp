#include "model/checksum.h"

#include <cstdint>
#include <cstdio>
#include <stdexcept>

namespace fer {
namespace {

/// 64-bit FNV-1a.
class Fnv1a {
 public:
  void add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < size; ++i) hash_ = (hash_ ^ bytes[i]) * 0x100000001b3u;
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      const auto byte = static_cast<unsigned char>(number >> shift);
      add(&byte, 1);
    }
  }
  /// With its length, so that two texts in a row cannot be cut in another place.
  void add_text(const std::string& text) {
    add(text.size());
    add(text.data(), text.size());
  }
  std::string digits() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash_));
    return text;
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// Of all metadata but the checksum, and of the tensors.
std::string whole_hash(const std::map<std::string, std::string>& metadata,
                       const std::map<std::string, TensorView>& tensors) {
  Fnv1a hash;
  for (const auto& [key, value] : metadata) {
    if (key == kChecksumKey) continue;
    hash.add_text(key);
    hash.add_text(value);
  }
  for (const auto& [name, view] : tensors) {
    hash.add_text(name);
    hash.add(static_cast<std::uint64_t>(view.dtype));
    hash.add(view.shape.size());
    for (const std::int64_t extent : view.shape) hash.add(static_cast<std::uint64_t>(extent));
    hash.add(view.data, view.bytes);
  }
  return hash.digits();
}

}  // namespace

std::string content_hash(const std::map<std::string, TensorView>& tensors) {
  Fnv1a hash;
  for (const auto& [name, view] : tensors) {
    hash.add(name.data(), name.size());
    hash.add(view.data, view.bytes);
  }
  return hash.digits();
}

std::string content_hash(const std::string& text,
                         const std::map<std::string, TensorView>& tensors) {
  return whole_hash({{"text", text}}, tensors);
}

std::map<std::string, std::string> with_checksum(std::map<std::string, std::string> metadata,
                                                 const std::map<std::string, TensorView>& tensors) {
  metadata[kChecksumKey] = whole_hash(metadata, tensors);
  return metadata;
}

void require_unchanged(const SafetensorsFile& file) {
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format"), checksum = metadata.find(kChecksumKey);
  const bool first = format == metadata.end() || format->second.ends_with("/1");
  if (checksum == metadata.end()) {
    if (first) return;  // files that other programs wrote need not have one
    throw std::runtime_error(file.path().string() + ": expected metadata \"" + kChecksumKey +
                             "\", found none");
  }
  const std::string found =
      first ? content_hash(file.tensors()) : whole_hash(metadata, file.tensors());
  if (checksum->second == found) return;
  throw std::runtime_error(file.path().string() +
                           ": its content is not what was written: the checksum differs");
}

}  // namespace fer
