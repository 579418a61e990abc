#include "evaluation/fit_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "error_of.h"
#include "training/evaluation/drawn_predictions.h"
#include "util/random.h"

namespace fer {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;

/// `right` of `all` faces of two classes, each told with these logits apart for the truth.
void add(CalibrationData& data, int right, int all, float apart) {
  for (int i = 0; i < all; ++i) {
    data.classes = 2;
    data.logits.insert(data.logits.end(), {apart, 0});
    const float hit = i < right ? 1.f : 0.f;
    data.targets.insert(data.targets.end(), {hit, 1 - hit});
    data.clusters.of_face.push_back(static_cast<std::uint32_t>(data.clusters.count++));
  }
}

TEST(FitCalibration, FindsTheTemperatureAtWhichConfidenceIsAccuracy) {
  // Logits 4 apart mean 98.2 %, but 3 of 4 are right: ln 3 = 1.0986 apart would, so T = 3.641.
  CalibrationData data;
  add(data, 75, 100, 4);
  const Calibration calibration = fit_calibration(data, /*with_bias=*/false);
  EXPECT_NEAR(calibration.temperature, 4 / std::log(3), 1e-4);
  EXPECT_TRUE(calibration.bias.empty());
  const auto logits = calibrated(calibration, data.logits, 2);
  EXPECT_NEAR(logits[0], std::log(3), 1e-4);
  EXPECT_EQ(logits[1], 0);
  // -(3/4 ln 3/4 + 1/4 ln 1/4)
  EXPECT_NEAR(mean_nll(logits, data.targets, 2), 0.56234, 1e-4);
}

TEST(FitCalibration, TakesSharesOfVotesAsTargets) {
  CalibrationData data;
  data.classes = 2;
  data.logits = {2, 0, 0, 2};
  data.targets = {0.9f, 0.1f, 0.1f, 0.9f};
  data.clusters = {{0, 1}, 2};
  // ln 9 = 2.1972 apart.
  EXPECT_NEAR(fit_calibration(data, false).temperature, 2 / std::log(9), 1e-4);
}

/// Faces whose logits are those of a model that is right about probabilities, scaled and shifted.
CalibrationData distorted(std::size_t faces, float scale, const std::vector<float>& shift) {
  CalibrationData data;
  data.classes = 3;
  Random random(3);
  for (std::size_t i = 0; i < faces; ++i) {
    double z[3], sum = 0, p[3];
    for (double& value : z) value = random.uniform(-2, 2);
    for (int k = 0; k < 3; ++k) sum += p[k] = std::exp(z[k]);
    double left = random.uniform() * sum;
    int truth = 0;
    while (truth < 2 && left >= p[truth]) left -= p[truth++];
    for (int k = 0; k < 3; ++k) {
      data.logits.push_back(scale *
                            (static_cast<float>(z[k]) - shift[static_cast<std::size_t>(k)]));
      data.targets.push_back(k == truth ? 1.f : 0.f);
    }
    data.clusters.of_face.push_back(static_cast<std::uint32_t>(i));
  }
  data.clusters.count = faces;
  return data;
}

TEST(FitCalibration, UndoesScaleAndShift) {
  const CalibrationData data = distorted(20000, 2.5f, {0.8f, 0, -0.8f});
  const Calibration calibration = fit_calibration(data, /*with_bias=*/true);
  EXPECT_NEAR(calibration.temperature, 2.5, 0.1);
  ASSERT_EQ(calibration.bias.size(), 3u);
  EXPECT_NEAR(calibration.bias[0] - calibration.bias[1], 0.8, 0.08);
  EXPECT_NEAR(calibration.bias[1] - calibration.bias[2], 0.8, 0.08);
}

TEST(FitCalibration, KeepsTheBiasOfAClassWithoutFacesFinite) {
  CalibrationData data;
  add(data, 30, 30, 1);  // none of class 1
  const Calibration calibration = fit_calibration(data, /*with_bias=*/true);
  for (const float b : calibration.bias) EXPECT_LT(std::abs(b), 5);
}

TEST(FitCalibration, IsAsSureAsItMayBeOfAModelThatIsAlwaysRight) {
  CalibrationData data;
  add(data, 30, 30, 1);
  // The loss falls all the way to a temperature of nought, less and less; 0.05 is the least.
  const double temperature = fit_calibration(data, /*with_bias=*/false).temperature;
  EXPECT_GE(temperature, 0.05);
  EXPECT_LT(temperature, 0.1);
}

TEST(FitCalibration, RefusesLogitsThatSayTheOpposite) {
  CalibrationData data;
  add(data, 20, 100, 4);
  EXPECT_THAT(test::error_of([&] { fit_calibration(data, false); }),
              HasSubstr("logits fit the labels"));
}

TEST(ChooseCalibration, TakesABiasOnlyWhereHeldOutFacesAreBetterOff) {
  const CalibrationChoice with = choose_calibration(distorted(2000, 2, {0.8f, 0, -0.8f}), 5, 0);
  EXPECT_EQ(with.calibration.bias.size(), 3u);
  EXPECT_LT(with.nll_bias, with.nll_temperature);
  EXPECT_LT(with.nll_temperature, with.nll_before);
  EXPECT_GT(with.bias_gain, with.bias_gain_error);

  const CalibrationChoice without = choose_calibration(distorted(300, 2, {0, 0, 0}), 5, 0);
  EXPECT_TRUE(without.calibration.bias.empty());
  EXPECT_LE(without.bias_gain, without.bias_gain_error);

  const CalibrationData data = distorted(2000, 2, {0.8f, 0, -0.8f});
  EXPECT_TRUE(choose_calibration(data, 5, 0, /*allow_bias=*/false).calibration.bias.empty());
}

TEST(ChooseCalibration, CalibratesEachFaceByTheOtherFolds) {
  const CalibrationData data = distorted(400, 2, {0.5f, 0, 0});
  const CalibrationChoice choice = choose_calibration(data, 4, 1);
  ASSERT_EQ(choice.held_out.size(), data.logits.size());
  const double nll = mean_nll(choice.held_out, data.targets, 3);
  EXPECT_NEAR(nll, choice.calibration.bias.empty() ? choice.nll_temperature : choice.nll_bias,
              1e-6);
  // What was fitted on all of them says more about them than about others.
  EXPECT_GT(nll, mean_nll(calibrated(choice.calibration, data.logits, 3), data.targets, 3));
  EXPECT_EQ(choose_calibration(data, 4, 1).held_out, choice.held_out);
  EXPECT_NE(choose_calibration(data, 4, 2).held_out, choice.held_out);
}

TEST(ChooseCalibration, KeepsAPersonOnOneSideOfAFold) {
  // Three people, and as many folds: every face of a person is calibrated alike, and by the others.
  CalibrationData data;
  add(data, 60, 100, 2);
  add(data, 75, 100, 2);
  add(data, 90, 100, 2);
  for (std::uint32_t i = 0; i < 300; ++i) data.clusters.of_face[i] = i / 100;
  data.clusters.count = 3;
  const auto held_out = choose_calibration(data, 3, 0, /*allow_bias=*/false).held_out;
  // The first person is calibrated on 165 of 200, the others on 150 and 135.
  EXPECT_NEAR(held_out[0], std::log(165 / 35.), 1e-3);
  EXPECT_NEAR(held_out[2 * 150], std::log(150 / 50.), 1e-3);
  EXPECT_NEAR(held_out[2 * 299], std::log(135 / 65.), 1e-3);
  EXPECT_THAT(test::error_of([&] { choose_calibration(data, 4, 0); }), HasSubstr("found 3"));
}

TEST(OperatingPoints, AreTheLeastProbabilityOfEnoughPrecision) {
  std::vector<test::DrawnFace> faces;
  const auto add_faces = [&](int truth, std::vector<float> p, int count) {
    for (int i = 0; i < count; ++i) faces.push_back({truth, p});
  };
  add_faces(0, {0.9f, 0.1f, 0}, 20);  // class 0: 20 of 20 from .9 on
  add_faces(0, {0.8f, 0.2f, 0}, 10);  // … 30 of 34 from .8 on: 88 %, at least 81 % by Wilson
  add_faces(1, {0.8f, 0.2f, 0}, 4);
  add_faces(1, {0.6f, 0.4f, 0}, 40);  // … 30 of 74 from .6 on
  add_faces(1, {0.1f, 0.9f, 0}, 2);   // class 1: 2 of 2, but that is luck: at least 67 %
  add_faces(2, {0, 0.3f, 0.7f}, 10);  // class 2: always right
  const Predictions p = test::drawn_predictions({"neutral", "happiness", "fear"}, faces);
  const float never = std::numeric_limits<float>::infinity();
  EXPECT_THAT(operating_points(p, 0.8), ElementsAre(FloatNear(0.8f, 1e-6), never, 0));
  EXPECT_THAT(operating_points(p, 0.85), ElementsAre(FloatNear(0.9f, 1e-6), never, 0));
  EXPECT_THAT(operating_points(p, 0.99), ElementsAre(never, never, never));
}

}  // namespace
}  // namespace fer
