#include "stream/ood_gate.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace fer {
namespace {

constexpr float kDoubt = 0.5f;
constexpr float kSure = 0.9f, kUnsure = 0.3f;

/// Shows so many pieces of evidence, of which every n-th is one that the model is unsure of; 0:
/// none. How many were admitted.
int show(OodGate& gate, int count, int every, const std::string& source = "cam") {
  int admitted = 0;
  for (int i = 0; i < count; ++i)
    admitted += gate.admits(source, every > 0 && i % every == 0 ? kUnsure : kSure);
  return admitted;
}

TEST(OodGate, LearnsFromFacesThatItKnows) {
  OodGate gate(kDoubt, 0.2);
  EXPECT_EQ(show(gate, 1000, 20), 1000);  // as known faces are
  EXPECT_EQ(show(gate, 1000, 8), 1000);   // somewhat stranger
  EXPECT_NEAR(gate.unsure("cam"), 1.0 / 8, 0.03);
}

TEST(OodGate, ClosesToWhatItDoesNotKnowAndOpensAgain) {
  OodGate gate(kDoubt, 0.2);
  EXPECT_LT(show(gate, 1000, 2), 60);
  EXPECT_EQ(show(gate, 100, 1), 0);
  const int admitted = show(gate, 1000, 0);
  EXPECT_GT(admitted, 850);
  EXPECT_LT(admitted, 970);
}

TEST(OodGate, TellsSourcesApart) {
  OodGate gate(kDoubt, 0.2);
  show(gate, 500, 1, "wall");
  EXPECT_EQ(show(gate, 100, 20, "door"), 100);
  EXPECT_GT(gate.unsure("wall"), 0.9);
  EXPECT_DOUBLE_EQ(gate.unsure("never seen"), kUnsureOfKnown);
}

TEST(OodGate, TakesAnythingWhereAskedTo) {
  OodGate gate(kDoubt, 1);
  EXPECT_EQ(show(gate, 1000, 1), 1000);
}

TEST(OodGate, GoesOnFromItsState) {
  OodGate first(kDoubt, 0.2), second(kDoubt, 0.2);
  show(first, 60, 1);
  second.restore(nlohmann::json::parse(first.state().dump()));
  EXPECT_DOUBLE_EQ(second.unsure("cam"), first.unsure("cam"));
  second.restore(nlohmann::json::object());
  EXPECT_DOUBLE_EQ(second.unsure("cam"), kUnsureOfKnown);
  EXPECT_THROW(second.restore(nlohmann::json{{"cam", "much"}}), nlohmann::json::exception);
}

TEST(OodGate, ForgetsSourcesRatherThanFillTheMemory) {
  OodGate gate(kDoubt, 0.2);
  for (int i = 0; i < 5000; ++i) gate.admits("cam" + std::to_string(i), kSure);
  EXPECT_LE(gate.state().size(), 4096u);
}

}  // namespace
}  // namespace fer
