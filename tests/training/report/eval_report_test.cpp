#include "report/eval_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "training/evaluation/drawn_predictions.h"

namespace fer {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Measure known(double value, double low, double high) {
  return {value, {low, high}};
}
Measure unknown(double value) {
  return {value, {kNaN, kNaN}};
}

class EvalReports : public testing::Test {
 protected:
  EvalReports() {
    const Predictions p = test::drawn_predictions(
        {"neutral", "fear"}, {{0, {0.9f, 0.1f}}, {0, {0.6f, 0.4f}}, {0, {0.3f, 0.7f}}});
    report_.model = "fernet.fer";
    report_.network = "fernet";
    report_.version = "0123456789ab";
    report_.precision = "fp32";
    report_.data = "faces.csv";
    report_.evaluation = Evaluation{confusion_of(p), p, {0, 1, 2}};
    report_.measures = {3,
                        known(2 / 3., 0.5, 0.75),
                        known(2 / 3., 0.25, 0.8),
                        known(0.7, 0.6, 0.8),
                        unknown(0.3),
                        known(0.1, 0.05, 0.2),
                        known(0.2, 0.1, 0.3),
                        {known(2 / 3., 0.5, 1), unknown(kNaN)}};
    report_.resampled = "images";
    report_.clusters = 3;
  }

  EvalReport report_;
};

TEST_F(EvalReports, PutTheIntervalBesideEachFigure) {
  const std::string text = eval_text(report_);
  EXPECT_THAT(text, HasSubstr("accuracy      66.67 (50.00 to 75.00) %\n"));
  EXPECT_THAT(text, HasSubstr("macro recall  66.67 (25.00 to 80.00) %\n"));
  EXPECT_THAT(text, HasSubstr("NLL           0.7000 (0.6000 to 0.8000)\n"));
  EXPECT_THAT(text, HasSubstr("Brier score   0.3000\n"));
  EXPECT_THAT(text, HasSubstr("ECE           0.1000 (0.0500 to 0.2000) in 15 bins of equal mass"));
  EXPECT_THAT(text, HasSubstr("0.2000 (0.1000 to 0.3000) in 15 bins of equal width"));
  EXPECT_THAT(text, HasSubstr("66.7 %  (50.0 to 100.0)\n"));
  EXPECT_THAT(text, HasSubstr("over 3 images, 10000 resamples, seed 0"));
  EXPECT_THAT(text, Not(HasSubstr("compared")));
  EXPECT_THAT(text, Not(HasSubstr("prior")));

  const json all = eval_json(report_);
  EXPECT_NEAR(all["accuracy"], 2 / 3., 1e-12) << "as before there were intervals";
  EXPECT_EQ(all["intervals"]["accuracy"], json({0.5, 0.75}));
  EXPECT_EQ(all["intervals"]["recall"]["neutral"], json({0.5, 1.0}));
  EXPECT_TRUE(all["intervals"]["recall"]["fear"].is_null());
  EXPECT_TRUE(all["intervals"]["brier"].is_null());
  EXPECT_EQ(all["nll"], 0.7);
  EXPECT_EQ(all["ece_equal_mass"], 0.1);
  EXPECT_EQ(all["bootstrap"]["resampled"], "images");
  EXPECT_EQ(all["bootstrap"]["clusters"], 3);
  EXPECT_FALSE(all.contains("groups"));
}

TEST_F(EvalReports, TellDifferencesWithTheirSign) {
  const Differences d{
      known(0.05, -0.01, 0.1), known(-0.02, -0.04, -0.001), {known(0.05, 0, 0.1), unknown(kNaN)}};
  report_.compared = {{"other.fer", report_.measures, d}};
  const std::string text = eval_text(report_);
  EXPECT_THAT(text, HasSubstr("compared with other.fer"));
  EXPECT_THAT(text, HasSubstr("+5.00 (-1.00 to +10.00)\n"));
  EXPECT_THAT(text, HasSubstr("-2.00 (-4.00 to -0.10)\n"));
  const json compared = eval_json(report_)["compared"][0];
  EXPECT_EQ(compared["with"], "other.fer");
  EXPECT_EQ(compared["difference"]["accuracy"]["value"], 0.05);
  EXPECT_EQ(compared["difference"]["accuracy"]["interval"], json({-0.01, 0.1}));
  EXPECT_TRUE(compared["difference"]["recall"]["fear"]["value"].is_null());
  EXPECT_EQ(compared["other"]["n"], 3);
}

TEST_F(EvalReports, HaveARowPerPriorCorrectionAndPerGroup) {
  const Differences d{known(-0.02, -0.03, -0.01), known(0.05, 0.01, 0.1), {}};
  report_.prior_correction = 0.5;
  report_.corrections = {{0.25, report_.measures, d}};
  report_.corrections[0].to_given.recall = report_.measures.recall;
  report_.grouping = "age";
  report_.groups = {{"below 18", report_.measures, report_.corrections[0].to_given}};
  const std::string text = eval_text(report_);
  EXPECT_THAT(text, HasSubstr("prior         divided out to the power of 0.5\n"));
  EXPECT_THAT(text,
              HasSubstr("\n0.25              66.67 (50.00 to 75.00)  -2.00 (-3.00 to -1.00)"));
  EXPECT_THAT(text, HasSubstr("Differences are to a prior correction of 0.5."));
  EXPECT_THAT(text, HasSubstr("\nbelow 18      3  66.67"));
  const json all = eval_json(report_);
  EXPECT_EQ(all["prior_corrections"][0]["prior_correction"], 0.25);
  EXPECT_EQ(all["prior_corrections"][0]["difference"]["macro_recall"]["value"], 0.05);
  EXPECT_EQ(all["grouped_by"], "age");
  EXPECT_EQ(all["groups"][0]["group"], "below 18");
  EXPECT_EQ(all["groups"][0]["to_rest"]["accuracy"]["interval"], json({-0.03, -0.01}));
}

}  // namespace
}  // namespace fer
