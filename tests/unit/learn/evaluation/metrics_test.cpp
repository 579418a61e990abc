#include "learn/evaluation/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace fer {
namespace {

/// neutral: 6 of 8 right; happiness: 1 of 4; fear: no sample.
Confusion example() {
  Confusion confusion({"neutral", "happiness", "fear"});
  for (int i = 0; i < 6; ++i) confusion.add(0, 0);
  for (int i = 0; i < 2; ++i) confusion.add(0, 2);
  confusion.add(1, 1);
  for (int i = 0; i < 3; ++i) confusion.add(1, 0);
  return confusion;
}

TEST(Confusion, CountsPairs) {
  const Confusion confusion = example();
  EXPECT_EQ(confusion.total(), 12);
  EXPECT_EQ(confusion.count(0, 0), 6);
  EXPECT_EQ(confusion.count(0, 1), 0);
  EXPECT_EQ(confusion.count(0, 2), 2);
  EXPECT_EQ(confusion.count(1, 0), 3);
}

TEST(Confusion, WorksOutAccuracyAndRecall) {
  const Confusion confusion = example();
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 7.0 / 12);
  EXPECT_DOUBLE_EQ(confusion.recall(0), 0.75);
  EXPECT_DOUBLE_EQ(confusion.recall(1), 0.25);
  EXPECT_TRUE(std::isnan(confusion.recall(2)));
}

TEST(Confusion, LeavesClassesWithoutSamplesOutOfMacroRecall) {
  EXPECT_DOUBLE_EQ(example().macro_recall(), 0.5);
}

TEST(Confusion, IsZeroWhereNothingWasCounted) {
  const Confusion confusion({"neutral", "happiness"});
  EXPECT_EQ(confusion.total(), 0);
  EXPECT_EQ(confusion.accuracy(), 0);
  EXPECT_EQ(confusion.macro_recall(), 0);
}

TEST(Confusion, RefusesWhatIsOutOfRange) {
  Confusion confusion({"neutral", "happiness"});
  EXPECT_THROW(confusion.add(2, 0), std::out_of_range);
  EXPECT_THROW(confusion.add(0, -1), std::out_of_range);
  EXPECT_EQ(confusion.total(), 0);
}

TEST(Confusion, SaysItAllAsJson) {
  const nlohmann::json json = example().to_json();
  EXPECT_EQ(json["n"], 12);
  EXPECT_DOUBLE_EQ(json["accuracy"], 7.0 / 12);
  EXPECT_DOUBLE_EQ(json["macro_recall"], 0.5);
  EXPECT_DOUBLE_EQ(json["recall"]["happiness"], 0.25);
  EXPECT_TRUE(json["recall"]["fear"].is_null());
  EXPECT_EQ(json["confusion"], nlohmann::json::parse("[[6,0,2],[3,1,0],[0,0,0]]"));
  EXPECT_EQ(json["labels"], nlohmann::json::parse(R"(["neutral","happiness","fear"])"));
}

TEST(Confusion, PrintsATable) {
  EXPECT_EQ(example().to_text(),
            "label \\ predicted   neutral happiness      fear    recall\n"
            "          neutral         6         0         2     75.0 %\n"
            "        happiness         3         1         0     25.0 %\n"
            "             fear         0         0         0         -\n");
}

}  // namespace
}  // namespace fer
