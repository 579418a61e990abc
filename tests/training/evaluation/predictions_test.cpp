#include "evaluation/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "training/evaluation/drawn_predictions.h"

namespace fer {
namespace {

using test::drawn_predictions;
using testing::ElementsAre;
using testing::FloatNear;

TEST(Predictions, AreTheLikeliestClassAndSumToOne) {
  const Predictions p =
      drawn_predictions({"neutral", "happiness", "fear"},
                        {{0, {2, 1, 1}}, {2, {0.1f, 0.45f, 0.45f}}, {1, {0, 0, 0}}});
  EXPECT_THAT(p.row(0), ElementsAre(0.5f, 0.25f, 0.25f));
  EXPECT_EQ(p.predicted(0), 0);
  EXPECT_EQ(p.predicted(1), 1) << "the first of equals";
  EXPECT_THAT(p.row(2), testing::Each(FloatNear(1 / 3.f, 1e-6)));
  const Confusion confusion = confusion_of(p);
  EXPECT_EQ(confusion.count(0, 0), 1);
  EXPECT_EQ(confusion.count(2, 1), 1);
  EXPECT_EQ(confusion.count(1, 0), 1);
}

TEST(Predictions, AreDividedByThePriorAndNormalisedAnew) {
  Predictions p = drawn_predictions({"neutral", "fear"}, {{0, {0.8f, 0.2f}}});
  p.prior = {0.9f, 0.1f};
  // .8 / .9 = .8889 and .2 / .1 = 2: the sum is 2.8889.
  EXPECT_THAT(with_prior_correction(p, 1).row(0),
              ElementsAre(FloatNear(0.30769f, 1e-4), FloatNear(0.69231f, 1e-4)));
  // .8 / .9^.5 = .84327 and .2 / .1^.5 = .63246.
  EXPECT_THAT(with_prior_correction(p, 0.5).row(0),
              ElementsAre(FloatNear(0.57143f, 1e-4), FloatNear(0.42857f, 1e-4)));
  // There and back again.
  EXPECT_THAT(with_prior_correction(with_prior_correction(p, 0.7), -0.7).row(0),
              ElementsAre(FloatNear(0.8f, 1e-5), FloatNear(0.2f, 1e-5)));
}

TEST(Predictions, OfOnePersonAreOneClusterAndOfNobodyOneEach) {
  const Predictions p = drawn_predictions(
      {"neutral", "fear"},
      {{0, {1, 0}, "ann"}, {0, {1, 0}}, {1, {1, 0}, "bob"}, {0, {1, 0}}, {0, {0, 1}, "ann"}});
  EXPECT_TRUE(knows_persons(p));
  const Clusters persons = clusters_by_person(p);
  EXPECT_THAT(persons.of_face, ElementsAre(0, 1, 2, 3, 0));
  EXPECT_EQ(persons.count, 4u);
  const Clusters images = clusters_by_image(p);
  EXPECT_THAT(images.of_face, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(images.count, 5u);
  EXPECT_FALSE(knows_persons(drawn_predictions({"neutral", "fear"}, {{0, {1, 0}}})));
}

}  // namespace
}  // namespace fer
