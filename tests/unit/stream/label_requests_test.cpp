#include "stream/label_requests.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

TEST(LabelRequests, BoundsLabelsAndPushesNoneOut) {
  LabelRequests requests;
  EXPECT_TRUE(requests.empty());
  for (int i = 0; i < 1024; ++i) ASSERT_TRUE(requests.label(FaceSample(), 0));
  EXPECT_FALSE(requests.label(FaceSample(), 0));
  EXPECT_FALSE(requests.take().empty());
  EXPECT_TRUE(requests.empty()) << "what was taken waits no more";
  EXPECT_TRUE(requests.label(FaceSample(), 0));
}

TEST(LabelRequests, WhereNothingLearnsNobodyIsAsked) {
  LabelRequests requests;
  auto questions = requests.pick(8, {});
  EXPECT_FALSE(requests.empty());
  requests.answer_none();
  EXPECT_TRUE(questions.get().empty());
}

}  // namespace
}  // namespace fer
