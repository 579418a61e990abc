#include "exchange/model_message.h"

#include <gtest/gtest.h>

#include <optional>

#include "exchange/refused_message.h"
#include "util/sha256.h"

namespace fer {
namespace {

ModelMessage message() {
  return {"door", "aabbccddeeff", "001122334455", "host-1", "", std::string(1000, '\0') + "model"};
}

std::optional<MessageFault> fault_of(const std::string& bytes, const std::string& slot = "door") {
  try {
    decode_model(bytes, slot);
    return std::nullopt;
  } catch (const RefusedMessage& refused) {
    return refused.fault;
  }
}

TEST(ModelMessage, ComesBackAsItWasSentWithTheHashOfTheWholeFile) {
  const ModelMessage got = decode_model(encode_model(message()), "door");
  EXPECT_EQ(got.version, message().version);
  EXPECT_EQ(got.parent, message().parent);
  EXPECT_EQ(got.service, message().service);
  EXPECT_EQ(got.file, message().file);
  EXPECT_EQ(got.sha256, sha256(message().file));
}

TEST(ModelMessage, IsRefusedWhereItIsCut) {
  const std::string whole = encode_model(message());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(fault_of(whole.substr(0, size)), MessageFault::kBroken) << size;
}

TEST(ModelMessage, IsRefusedWhereItsFileIsAnotherThanItsHashSays) {
  std::string forged = encode_model(message());
  const std::size_t inside = forged.find(message().file.substr(995));
  ASSERT_NE(inside, std::string::npos);
  forged[inside] ^= 1;
  EXPECT_EQ(fault_of(forged), MessageFault::kHash);
}

TEST(ModelMessage, OfAnotherSlotOrTooLargeIsRefused) {
  EXPECT_EQ(fault_of(encode_model(message()), "gate"), MessageFault::kSlot);
  EXPECT_EQ(fault_of(std::string(kMaxModelBytes + 1, 'x')), MessageFault::kTooLarge);
  EXPECT_EQ(fault_of("nothing of the kind"), MessageFault::kBroken);
}

}  // namespace
}  // namespace fer
