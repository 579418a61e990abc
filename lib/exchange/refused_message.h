// Messages of other machines that are not to be used.
#pragma once

#include <stdexcept>
#include <string>

namespace fer {

/// Why a message is refused, for counts by name.
enum class MessageFault {
  kTooLarge,   ///< More bytes than any such message has.
  kBroken,     ///< Cut, or none of ours, or with values that make no sense.
  kFormat,     ///< Of a version that this program does not read.
  kHash,       ///< Its content is not what its hash says.
  kSlot,       ///< Of another slot.
  kLowerHalf,  ///< Latents of another lower half of the network.
  kParent,     ///< A model that was adapted from another one than this slot's.
  kCanary,     ///< A model that knows this machine's canary too badly.
};

/// "too-large", "broken", "format", "hash", "slot", "lower-half", "parent", "canary".
inline const char* name_of(MessageFault fault) {
  switch (fault) {
    case MessageFault::kTooLarge:
      return "too-large";
    case MessageFault::kBroken:
      return "broken";
    case MessageFault::kFormat:
      return "format";
    case MessageFault::kHash:
      return "hash";
    case MessageFault::kSlot:
      return "slot";
    case MessageFault::kLowerHalf:
      return "lower-half";
    case MessageFault::kParent:
      return "parent";
    case MessageFault::kCanary:
      return "canary";
  }
  return "broken";
}

/// With a sentence for people: what was found, and what was expected.
struct RefusedMessage : std::runtime_error {
  RefusedMessage(MessageFault why, const std::string& sentence)
      : std::runtime_error(sentence), fault(why) {}
  MessageFault fault;
};

}  // namespace fer
