#include "evaluation/measures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "training/evaluation/drawn_predictions.h"

namespace fer {
namespace {

using test::drawn_predictions;
using test::DrawnFace;

const std::vector<std::string> kClasses{"neutral", "happiness", "fear"};

/// `right` and `wrong` faces of class `truth`; wrong ones are taken for the next class.
void add(std::vector<DrawnFace>& faces, int truth, int right, int wrong) {
  for (int i = 0; i < right + wrong; ++i) {
    DrawnFace face{truth, {0, 0, 0}};
    face.probabilities[static_cast<std::size_t>(i < right ? truth : (truth + 1) % 3)] = 1;
    faces.push_back(face);
  }
}

TEST(Measures, AreTheFiguresOfTheConfusionMatrix) {
  std::vector<DrawnFace> faces;
  add(faces, 0, 9, 1);
  add(faces, 1, 1, 3);
  const Predictions p = drawn_predictions(kClasses, faces);
  const Measures m = measure(p, clusters_by_image(p), {.resamples = 200});
  EXPECT_EQ(m.faces, 14u);
  EXPECT_NEAR(m.accuracy.value, 10 / 14., 1e-12);
  EXPECT_NEAR(m.recall[0].value, 0.9, 1e-12);
  EXPECT_NEAR(m.recall[1].value, 0.25, 1e-12);
  EXPECT_TRUE(std::isnan(m.recall[2].value));
  EXPECT_FALSE(m.recall[2].interval.known());
  EXPECT_NEAR(m.macro_recall.value, 0.575, 1e-12);
  const Confusion confusion = confusion_of(p);
  EXPECT_DOUBLE_EQ(m.accuracy.value, confusion.accuracy());
  EXPECT_DOUBLE_EQ(m.macro_recall.value, confusion.macro_recall());
  for (const Measure& figure : {m.accuracy, m.macro_recall, m.recall[0], m.recall[1]}) {
    EXPECT_LT(figure.interval.low, figure.value);
    EXPECT_GT(figure.interval.high, figure.value);
  }
}

TEST(Measures, ScoreProbabilities) {
  const Predictions p = drawn_predictions(
      kClasses, {{0, {0.5f, 0.25f, 0.25f}}, {1, {0.5f, 0.25f, 0.25f}}, {2, {0.f, 1.f, 0.f}}});
  const Measures m = measure(p, clusters_by_image(p), {.resamples = 0});
  // -ln of .5, .25 and, for what was said to be impossible, 1e-12.
  EXPECT_NEAR(m.nll.value, (std::log(2) + std::log(4) - std::log(1e-12)) / 3, 1e-6);
  // .25 + .0625 + .0625; .25 + .5625 + .0625; 1 + 1
  EXPECT_NEAR(m.brier.value, (0.375 + 0.875 + 2) / 3, 1e-6);
  // Equal width: .5 twice, one of two right: no gap; 1.0 once, wrong: a gap of 1.
  EXPECT_NEAR(m.ece_equal_width.value, 1 / 3., 1e-6);
  // Equal mass: a bin each; gaps of .5, .5 and 1.
  EXPECT_NEAR(m.ece_equal_mass.value, 2 / 3., 1e-6);
  EXPECT_FALSE(m.nll.interval.known());
}

TEST(Measures, OfClassesWithOneFaceHaveNoIntervalBesidesTheirValue) {
  std::vector<DrawnFace> faces;
  add(faces, 0, 8, 2);
  add(faces, 2, 1, 0);
  const Predictions p = drawn_predictions(kClasses, faces);
  const Measures m = measure(p, clusters_by_image(p), {.resamples = 500});
  // Resamples without the face tell nothing, instead of lifting the macro recall.
  EXPECT_EQ(m.recall[2].interval.low, 1);
  EXPECT_EQ(m.recall[2].interval.high, 1);
  EXPECT_LT(m.macro_recall.interval.low, 0.9);
  EXPECT_GT(m.macro_recall.interval.low, 0.7);
}

TEST(Differences, AreResampledInPairs) {
  // The second model is right where the first is, and on one face in ten more. Apart, either's
  // interval is as wide as a share of one half makes it.
  std::vector<DrawnFace> first, second;
  for (int i = 0; i < 200; ++i) {
    const bool right = i % 2 == 0, better = right || i % 20 == 1;
    first.push_back({0, {right ? 1.f : 0.f, right ? 0.f : 1.f, 0}});
    second.push_back({0, {better ? 1.f : 0.f, better ? 0.f : 1.f, 0}});
  }
  const Predictions a = drawn_predictions(kClasses, first), b = drawn_predictions(kClasses, second);
  const Clusters clusters = clusters_by_image(a);
  const Differences d = compare(b, a, clusters, {.resamples = 2000});
  EXPECT_NEAR(d.accuracy.value, 0.05, 1e-12);
  EXPECT_NEAR(d.macro_recall.value, 0.05, 1e-12);
  // Ten faces of 200 differ, always the same way: a deviation of sqrt(.05 · .95 / 200) = .0154.
  EXPECT_NEAR(d.accuracy.interval.low, 0.05 - 1.96 * 0.0154, 0.006);
  EXPECT_NEAR(d.accuracy.interval.high, 0.05 + 1.96 * 0.0154, 0.008);
  const Measures apart = measure(a, clusters, {.resamples = 2000});
  EXPECT_GT(apart.accuracy.interval.high - apart.accuracy.interval.low, 0.12);
  EXPECT_NEAR(compare(a, b, clusters, {.resamples = 0}).accuracy.value, -0.05, 1e-12);

  const Differences none = compare(a, a, clusters, {.resamples = 100});
  EXPECT_EQ(none.accuracy.interval.low, 0);
  EXPECT_EQ(none.accuracy.interval.high, 0);
}

TEST(Differences, AreOfTheSameFaces) {
  const Predictions a = drawn_predictions(kClasses, {{0, {1, 0, 0}}, {1, {1, 0, 0}}});
  const Predictions b = drawn_predictions(kClasses, {{0, {1, 0, 0}}, {2, {1, 0, 0}}});
  EXPECT_THROW(compare(a, b, clusters_by_image(a), {}), std::invalid_argument);
}

TEST(Differences, ToTheRestAverageTheClassesThatBothHave) {
  std::vector<DrawnFace> faces;
  add(faces, 0, 8, 2);  // inside
  add(faces, 1, 5, 5);  // inside
  add(faces, 0, 5, 5);  // the rest
  add(faces, 2, 0, 10);
  std::vector<bool> inside(faces.size());
  std::fill(inside.begin(), inside.begin() + 20, true);
  const Predictions p = drawn_predictions(kClasses, faces);
  const Differences d = compare_to_rest(p, inside, clusters_by_image(p), {.resamples = 300});
  EXPECT_NEAR(d.accuracy.value, 13 / 20. - 5 / 20., 1e-12);
  EXPECT_NEAR(d.macro_recall.value, 0.3, 1e-12) << "of class 0 alone";
  EXPECT_NEAR(d.recall[0].value, 0.3, 1e-12);
  EXPECT_TRUE(std::isnan(d.recall[1].value));
  EXPECT_TRUE(std::isnan(d.recall[2].value));
  EXPECT_TRUE(d.accuracy.interval.known());
  EXPECT_LT(d.accuracy.interval.low, 0.4);
  EXPECT_GT(d.accuracy.interval.high, 0.4);
}

}  // namespace
}  // namespace fer
