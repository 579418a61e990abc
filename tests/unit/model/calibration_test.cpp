#include "model/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <stdexcept>
#include <vector>

#include "model/classifier.h"
#include "model/folded_network.h"
#include "model/stored_model.h"
#include "network/aten_engine.h"
#include "network/model_file.h"
#include "network/torch_weights.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

using test::RandomModel;
using testing::ElementsAre;

TEST(FoldCalibration, DividesByTheTemperatureAndAddsTheBias) {
  std::vector<float> weight{2, -4, 6, 8}, bias{1, -3};
  fold_calibration({2, {0.5f, 0.25f}}, weight, bias);
  EXPECT_THAT(weight, ElementsAre(1, -2, 3, 4));
  EXPECT_THAT(bias, ElementsAre(1, -1.25f));
  fold_calibration({}, weight, bias);
  EXPECT_THAT(weight, ElementsAre(1, -2, 3, 4));
  EXPECT_THAT(bias, ElementsAre(1, -1.25f));
  EXPECT_THROW(fold_calibration({2, {1}}, weight, bias), std::invalid_argument);
}

class CalibratedModel : public testing::Test {
 protected:
  CalibratedModel() {
    model_.info().calibration = {2.5, {0.5f, -0.25f, 0, 0, 1, 0, 0, -2}};
    // The module has the plain weights.
    expected_ = model_.plain_logits(crops_);
    for (std::size_t i = 0; i < expected_.size(); ++i)
      expected_[i] = expected_[i] / 2.5f + model_.info().calibration.bias[i % 8];
  }
  void expect(const std::vector<float>& logits) const {
    ASSERT_EQ(logits.size(), expected_.size());
    for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], expected_[i], 1e-4) << i;
  }

  RandomModel model_;
  const std::vector<std::uint8_t> crops_ = test::random_bytes(3 * 24 * 24);
  std::vector<float> expected_;
};

TEST_F(CalibratedModel, IsServedCalibratedByEveryEngine) {
  expect(Classifier(*model_.stored(), Precision::kFp32).logits(crops_));
  std::vector<float> logits(expected_.size());
  make_aten_engine(fold(*model_.stored()), Precision::kFp32, "cpu")
      ->run(crops_.data(), 3, logits.data());
  expect(logits);
}

TEST_F(CalibratedModel, MayHaveItsCalibrationInItsHead) {
  model_.info().version = "0123456789ab";
  const torch::Tensor before = model_.file().weights.at("head.weight").clone();
  const ModelFile folded = with_calibration_in_head(model_.file());
  EXPECT_TRUE(folded.info.calibration.is_identity());
  EXPECT_EQ(folded.info.version, "0123456789ab");
  expect(Classifier(to_stored(folded), Precision::kFp32).logits(crops_));
  EXPECT_TRUE(model_.file().weights.at("head.weight").equal(before)) << "the model stays";
  EXPECT_TRUE(folded.weights.at("stem.weight").is_same(model_.file().weights.at("stem.weight")));
}

TEST(PriorCorrection, IsTheModelsOwnBelowZero) {
  ModelInfo info;
  info.labels = {"a", "b"};
  info.prior = {0.8f, 0.2f};
  info.prior_correction = 0.5;
  const auto corrected = [&](double asked) {
    std::vector<float> p{0, 0};
    to_probabilities(p, info, asked);
    return p[0];
  };
  EXPECT_FLOAT_EQ(corrected(kModelsPriorCorrection), corrected(0.5));
  EXPECT_FLOAT_EQ(corrected(0), 0.5f);
  // .2^.5 / (.8^.5 + .2^.5)
  EXPECT_NEAR(corrected(-1), 1 / 3., 1e-6);
  EXPECT_EQ(prior_correction_of(info, 1), 1);
}

}  // namespace
}  // namespace fer
