// A model on its way from a learner to the machines that serve it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fer {

/// Larger ones are refused unread.
inline constexpr std::size_t kMaxModelBytes = std::size_t{64} << 20;

/// A whole model file, and what it says of itself. docs/reference/exchange.md has the format.
struct ModelMessage {
  std::string slot;
  std::string version;  ///< ModelInfo::version of the file.
  std::string parent;   ///< ModelInfo::parent: the version that it was adapted from; may be empty.
  std::string service;  ///< Who learnt it.
  std::string sha256;   ///< Over the whole file, 64 hex digits. encode_model() makes it.
  std::string file;     ///< Bytes of a *.fer.
};

std::string encode_model(const ModelMessage& message);

/// Checks all but the file's own content. Throws RefusedMessage.
ModelMessage decode_model(std::string_view bytes, const std::string& slot);

}  // namespace fer
