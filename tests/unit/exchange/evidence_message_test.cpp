#include "exchange/evidence_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "exchange/cbor.h"
#include "exchange/refused_message.h"
#include "messages.h"
#include "util/random.h"

namespace fer {
namespace {

using test::evidence_of;
using test::small_half;
using testing::HasSubstr;

std::optional<MessageFault> fault_of(const std::string& bytes,
                                     const LowerHalf& expected = small_half()) {
  try {
    decode_evidence(bytes, expected);
    return std::nullopt;
  } catch (const RefusedMessage& refused) {
    return refused.fault;
  }
}

TEST(EvidenceMessage, ComesBackAsItWasSent) {
  EvidenceMessage sent = evidence_of(1);
  sent.number = 12345678901234;
  const EvidenceMessage got = decode_evidence(encode_evidence(sent), small_half());
  EXPECT_EQ(got.collector, "one");
  EXPECT_EQ(got.session, "session");
  EXPECT_EQ(got.number, sent.number);
  EXPECT_EQ(got.collected_s, 1000);
  const Evidence &a = sent.evidence, &b = got.evidence;
  EXPECT_EQ(b.source, a.source);
  EXPECT_EQ(b.track, a.track);
  EXPECT_EQ(b.begun_ns, a.begun_ns);
  EXPECT_EQ(b.frames, a.frames);
  EXPECT_EQ(b.mean, a.mean);
  EXPECT_EQ(b.label, a.label);
  EXPECT_EQ(b.majority, a.majority);
  EXPECT_EQ(b.flip_rate, a.flip_rate);
  EXPECT_EQ(b.source_confidence, a.source_confidence);
  EXPECT_EQ(b.latents.features, a.latents.features);
  EXPECT_EQ(b.latents.scale, a.latents.scale);
  EXPECT_EQ(b.latents.bytes, a.latents.bytes);
}

TEST(EvidenceMessage, SaysHowLongItWaitedByOneClockAlone) {
  const std::string kept = encode_evidence(evidence_of(1));
  EXPECT_EQ(collected_s_of(kept), 1000);
  EXPECT_EQ(decode_evidence(with_age(kept, 1060), small_half()).age_s, 60);
  // A clock that was set back says nothing of the time that passed.
  EXPECT_EQ(decode_evidence(with_age(kept, 400), small_half()).age_s, 0);
}

TEST(EvidenceMessage, IsRefusedWhereverItIsCut) {
  const std::string whole = encode_evidence(evidence_of(1));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(fault_of(whole.substr(0, size)).has_value()) << size;
  EXPECT_TRUE(fault_of(whole + "x").has_value());
}

TEST(EvidenceMessage, IsRefusedWhereABitOfItsBodyChanged) {
  const std::string whole = encode_evidence(evidence_of(1));
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string changed = whole;
    for (std::uint64_t times = 0; times <= random.below(4); ++times)
      changed[random.below(changed.size())] ^= static_cast<char>(1 << random.below(8));
    if (const auto fault = fault_of(changed)) continue;
    // Only what stands outside the hash may have changed: when it was, and how long it waited.
    const EvidenceMessage got = decode_evidence(changed, small_half());
    EXPECT_EQ(got.evidence.latents.bytes, evidence_of(1).evidence.latents.bytes);
  }
}

TEST(EvidenceMessage, OfAnotherLowerHalfIsRefusedByItsHash) {
  LowerHalf other = small_half();
  other.hash = "fedcba9876543210";
  EXPECT_EQ(fault_of(encode_evidence(evidence_of(1)), other), MessageFault::kLowerHalf);
}

TEST(EvidenceMessage, OfAnotherShapeIsRefused) {
  for (const auto change :
       {+[](LowerHalf& half) { half.activations = 47; },
        +[](LowerHalf& half) { half.activations = 4800; },
        +[](LowerHalf& half) { half.features = 6; }, +[](LowerHalf& half) { half.classes = 2; }}) {
    LowerHalf other = small_half();
    change(other);
    EXPECT_EQ(fault_of(encode_evidence(evidence_of(1)), other), MessageFault::kBroken);
  }
}

TEST(EvidenceMessage, WithValuesThatMakeNoSenseIsRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto faulty = [](const auto& change) {
    EvidenceMessage message = evidence_of(1);
    change(message.evidence);
    return fault_of(encode_evidence(message)) == MessageFault::kBroken;
  };
  EXPECT_TRUE(faulty([&](Evidence& e) { e.latents.features[0] = nan; }));
  EXPECT_TRUE(faulty([&](Evidence& e) { e.latents.scale = nan; }));
  EXPECT_TRUE(faulty([&](Evidence& e) { e.mean[0] = 2; }));
  EXPECT_TRUE(faulty([&](Evidence& e) { e.label = 3; }));
  EXPECT_TRUE(faulty([&](Evidence& e) { e.label = -1; }));
  EXPECT_TRUE(faulty([&](Evidence& e) { e.frames = 0; }));
  EXPECT_TRUE(faulty([&](Evidence& e) { e.majority = -0.1f; }));
  EXPECT_TRUE(faulty([&](Evidence& e) { e.source.clear(); }));
  EXPECT_TRUE(faulty([&](Evidence& e) { e.source.assign(1000, 'x'); }));
}

TEST(EvidenceMessage, OfAnotherFormatIsRefusedByName) {
  nlohmann::json outer = parse_cbor(encode_evidence(evidence_of(1)));
  outer["format"] = "gst-fer-evidence/2";
  try {
    decode_evidence(to_cbor_text(outer), small_half());
    FAIL() << "it was taken";
  } catch (const RefusedMessage& refused) {
    EXPECT_EQ(refused.fault, MessageFault::kFormat);
    EXPECT_THAT(refused.what(), HasSubstr("gst-fer-evidence/2"));
  }
}

TEST(EvidenceMessage, IsNeitherReadWhereItIsTooLargeNorWhereItNestsTooDeep) {
  EXPECT_EQ(fault_of(std::string(kMaxEvidenceBytes + 1, 'x')), MessageFault::kTooLarge);
  // Arrays of one array: the library's recursion would take the stack.
  EXPECT_EQ(fault_of(std::string(500000, '\x81')), MessageFault::kBroken);
  EXPECT_EQ(fault_of(""), MessageFault::kBroken);
}

}  // namespace
}  // namespace fer
