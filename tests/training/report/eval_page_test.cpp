#include "report/eval_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "training/evaluation/drawn_predictions.h"
#include "training/page_data.h"

namespace fer {
namespace {

TEST(EvalPage, ShowsRecallConfusionAndReliability) {
  const Predictions p = test::drawn_predictions(
      {"neutral", "fear"}, {{0, {0.9f, 0.1f}}, {0, {0.3f, 0.7f}}, {1, {0.2f, 0.8f}}});
  EvalReport report;
  report.model = "fernet.fer";
  report.evaluation = Evaluation{confusion_of(p), p, {0, 1, 2}};
  const Measure half{0.5, {0.25, 0.75}};
  report.measures = {3, half, half, half, half, half, half, {half, {1, {1, 1}}}};
  const test::PageData page(eval_page(report));
  const auto recall = page.block("bars", "Recall of each class");
  EXPECT_EQ(recall["categories"], (nlohmann::json{"neutral", "fear"}));
  EXPECT_EQ(recall["series"][0]["values"], (nlohmann::json{0.5, 1.0}));
  EXPECT_EQ(recall["series"][0]["intervals"][0], (nlohmann::json{0.25, 0.75}));
  EXPECT_EQ(page.block("confusion")["counts"], (nlohmann::json{{1., 1.}, {0., 1.}}));
  EXPECT_NEAR(page.at("Reliability", "right", static_cast<double>(0.9f)), 1, 1e-9);
}

}  // namespace
}  // namespace fer
