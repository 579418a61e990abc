#include "exchange/evidence_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages.h"

namespace fer {
namespace {

using test::evidence_of;
using testing::ElementsAre;

std::vector<EvidenceMessage> all_of(EvidenceQueue& queue) {
  std::vector<EvidenceMessage> all;
  while (auto one = queue.pop()) all.push_back(*one);
  return all;
}

TEST(EvidenceQueue, ThinsTheCommonestClassAndKeepsTheRareOne) {
  EvidenceQueue queue(10, 3);
  queue.push(evidence_of(2));  // The oldest, and the only one of its class.
  for (int i = 0; i < 100; ++i) queue.push(evidence_of(0, "one", "cam", i));
  EXPECT_EQ(queue.size(), 10u);
  EXPECT_THAT(queue.thinned(), ElementsAre(91, 0, 0));
  EXPECT_EQ(queue.pop()->evidence.label, 2);
  EXPECT_EQ(queue.pop()->evidence.label, 0);
}

TEST(EvidenceQueue, ThinsWhoIsSeenMostOften) {
  EvidenceQueue queue(6, 3);
  queue.push(evidence_of(1, "one", "cam", 7));
  for (int i = 0; i < 20; ++i) queue.push(evidence_of(1, "one", "cam", 8));
  queue.push(evidence_of(1, "one", "cam", 9));
  int of_seven = 0, of_eight = 0, of_nine = 0;
  for (const auto& one : all_of(queue)) {
    of_seven += one.evidence.track == 7;
    of_eight += one.evidence.track == 8;
    of_nine += one.evidence.track == 9;
  }
  EXPECT_EQ(of_seven, 1);
  EXPECT_EQ(of_nine, 1);
  EXPECT_EQ(of_eight, 4);
}

TEST(EvidenceQueue, ACollectorThatSendsTooMuchTakesNothingFromTheOthers) {
  EvidenceQueue queue(10, 3);
  for (const char* quiet : {"a", "b", "c"}) queue.push(evidence_of(0, quiet));
  for (int i = 0; i < 1000; ++i) queue.push(evidence_of(i % 3, "loud", "cam", i));
  int quiet = 0;
  for (const auto& one : all_of(queue)) quiet += one.collector != "loud";
  EXPECT_EQ(quiet, 3);
}

TEST(EvidenceQueue, GivesClassesInTurn) {
  EvidenceQueue queue(20, 3);
  for (int i = 0; i < 6; ++i) queue.push(evidence_of(0, "one", "cam", i));
  for (int i = 0; i < 3; ++i) queue.push(evidence_of(1, "one", "cam", i));
  std::vector<int> labels;
  for (int i = 0; i < 6; ++i) labels.push_back(queue.pop()->evidence.label);
  EXPECT_THAT(labels, ElementsAre(0, 1, 0, 1, 0, 1));
}

TEST(EvidenceQueue, DropsWhatIsTooOld) {
  EvidenceQueue queue(20, 3);
  queue.push(evidence_of(0));
  EvidenceMessage later = evidence_of(1);
  later.collected_s = 2000;
  queue.push(later);
  EXPECT_EQ(queue.drop_older(1500), 1u);
  EXPECT_EQ(queue.pop()->evidence.label, 1);
  EXPECT_FALSE(queue.pop().has_value());
}

}  // namespace
}  // namespace fer
