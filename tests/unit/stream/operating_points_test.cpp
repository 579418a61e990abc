#include "stream/operating_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fer {
namespace {

using testing::ElementsAre;

constexpr float kNever = std::numeric_limits<float>::infinity();

/// `n` answers of class 0 with rising probabilities, of which those below `wrong_below` are wrong.
std::vector<LabelledAnswer> answers(int n, float wrong_below) {
  std::vector<LabelledAnswer> made;
  for (int i = 0; i < n; ++i) {
    const float probability = static_cast<float>(i + 1) / static_cast<float>(n);
    made.push_back({0, probability, probability >= wrong_below});
  }
  return made;
}

TEST(AdaptedOperatingPoints, StayWhereTheModelIsAsPreciseAsBefore) {
  const auto source = answers(100, 0.3f);
  EXPECT_THAT(adapted_operating_points({0.5f}, source, source), ElementsAre(0.5f));
  EXPECT_THAT(adapted_operating_points({0.f}, source, source), ElementsAre(0.f));
}

TEST(AdaptedOperatingPoints, RiseWhereTheModelBecameTooSure) {
  // The source is right from 0.3 on, the adapted model only from 0.8 on.
  const auto points = adapted_operating_points({0.5f}, answers(100, 0.3f), answers(100, 0.8f));
  EXPECT_GT(points[0], 0.7f);
  EXPECT_LE(points[0], 0.8f);
}

TEST(AdaptedOperatingPoints, ArePromisedByNothingWhereNoAnswerIsRight) {
  EXPECT_THAT(adapted_operating_points({0.5f}, answers(100, 0.3f), answers(100, 2.f)),
              ElementsAre(kNever));
}

TEST(AdaptedOperatingPoints, NeverFall) {
  EXPECT_THAT(adapted_operating_points({0.5f, kNever}, answers(100, 0.8f), answers(100, 0.f)),
              ElementsAre(0.5f, kNever));
}

TEST(AdaptedOperatingPoints, StayWhereFewFacesWouldDecide) {
  EXPECT_THAT(adapted_operating_points({0.5f}, answers(9, 0.f), answers(100, 2.f)),
              ElementsAre(0.5f));
  EXPECT_THAT(adapted_operating_points({0.5f}, answers(100, 0.f), answers(9, 2.f)),
              ElementsAre(0.5f));
  EXPECT_THAT(adapted_operating_points({}, answers(9, 0.f), answers(9, 0.f)), testing::IsEmpty());
}

}  // namespace
}  // namespace fer
