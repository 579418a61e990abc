// Hashes of what a safetensors file holds: against accidents, not against forgers.
#pragma once

#include <map>
#include <string>

#include "model/safetensors.h"

namespace fer {

/// 64-bit FNV-1a over the tensors' names and bytes, as 16 hex digits.
std::string content_hash(const std::map<std::string, TensorView>& tensors);

/// The same over a text besides: what the tensors mean.
std::string content_hash(const std::string& text, const std::map<std::string, TensorView>& tensors);

/// Key of the metadata that holds the checksum.
inline constexpr char kChecksumKey[] = "checksum";

/// The metadata with a checksum over all of it and over the tensors: their names, types, shapes and
/// bytes.
std::map<std::string, std::string> with_checksum(std::map<std::string, std::string> metadata,
                                                 const std::map<std::string, TensorView>& tensors);

/// Throws std::runtime_error, with the file's name, where the content is not what was written.
/// Files of a format's version 1 may have a checksum, of the tensors alone; later ones must have
/// the one that with_checksum() gives.
void require_unchanged(const SafetensorsFile& file);

}  // namespace fer
