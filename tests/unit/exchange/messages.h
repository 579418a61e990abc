// Evidence for tests.
#pragma once

#include <cstdint>
#include <string>

#include "exchange/evidence_message.h"

namespace fer::test {

inline LowerHalf small_half() {
  LowerHalf half;
  half.hash = "0123456789abcdef";
  half.blocks = 1;
  half.activations = 48;
  half.features = 5;
  half.classes = 3;
  return half;
}

inline EvidenceMessage evidence_of(int label, const std::string& collector = "one",
                                   const std::string& source = "cam", std::int64_t track = 1) {
  EvidenceMessage message;
  message.collector = collector;
  message.session = "session";
  message.lower_half = small_half().hash;
  message.collected_s = 1000;
  Evidence& e = message.evidence;
  e.source = source;
  e.track = track;
  e.begun_ns = 7;
  e.frames = 5;
  e.mean = {0.25f, 0.5f, 0.25f};
  e.label = label;
  e.majority = 0.8f;
  e.flip_rate = 0.25f;
  e.source_confidence = 0.7f;
  e.latents.features = {0, 1, 2, 3, 4.5f};
  e.latents.scale = 0.01f;
  for (int i = 0; i < 48; ++i) e.latents.bytes.push_back(static_cast<std::uint8_t>(i % 7));
  return message;
}

}  // namespace fer::test
