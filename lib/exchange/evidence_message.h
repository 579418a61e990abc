// Evidence on its way from a collector to a learner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "stream/lower_half.h"
#include "stream/tracklet.h"

namespace fer {

/// Larger ones are refused unread.
inline constexpr std::size_t kMaxEvidenceBytes = 1 << 20;

/// One tracklet as latents, and who sends it. docs/reference/exchange.md has the format.
struct EvidenceMessage {
  std::string collector;         ///< The machine's name.
  std::string session;           ///< Of the collector's process.
  std::uint64_t number = 0;      ///< Counts a session's messages from 0 on.
  std::string lower_half;        ///< LowerHalf::hash of who made the latents.
  std::int64_t collected_s = 0;  ///< By the collector's own clock, since 1970.
  std::int64_t age_s = 0;        ///< When it was sent: how long it had waited.
  Evidence evidence;             ///< Without crops.
};

/// The message as bytes, CBOR with the activations deflated.
std::string encode_evidence(const EvidenceMessage& message);

/// The message that encode_evidence() made, with its age at this time of the same clock.
std::string with_age(const std::string& bytes, std::int64_t now_s);
/// EvidenceMessage::collected_s of such bytes.
std::int64_t collected_s_of(const std::string& bytes);

/// Checks all before it is used. Throws RefusedMessage.
EvidenceMessage decode_evidence(std::string_view bytes, const LowerHalf& expected);

}  // namespace fer
