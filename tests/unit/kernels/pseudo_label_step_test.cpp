#include "kernels/pseudo_label_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <tuple>

#include "learn/losses/losses.h"
#include "unit/kernels/pseudo_label_data.h"
#include "unit/kernels/tensor_policies.h"

namespace fer {
namespace {

using kernels::NegativeRule;
using kernels::PseudoLabelStep;
using kernels::ThresholdRule;
using test::StepData;
using testing::HasSubstr;

torch::Tensor rows_of(std::vector<float>& values, int classes) {
  return torch::from_blob(values.data(),
                          {static_cast<std::int64_t>(values.size()) / classes, classes});
}

/// The same step by tensor operations, with autograd.
struct ByTensors {
  PseudoLabels pseudo;
  torch::Tensor chosen, student, u, n, gradient;

  ByTensors(StepData& data, test::TensorThresholds& thresholds, const NegativeRule& negatives) {
    const PseudoLabelStep& s = data.step;
    const auto probabilities = [&](std::vector<float>& values) {
      const torch::Tensor rows = rows_of(values, s.classes);
      return s.teacher_is_probabilities ? rows : torch::softmax(rows, 1);
    };
    PolicyInput shown;
    shown.unlabelled = probabilities(data.teacher);
    shown.labelled = probabilities(data.labelled);
    shown.labels = torch::from_blob(data.labels.data(), {s.labelled_rows}, torch::kLong);
    shown.step = s.step;
    shown.epoch = s.epoch;
    pseudo = thresholds.update_and_label(shown);
    const torch::Tensor z = rows_of(data.student, s.classes).clone().requires_grad_();
    student = torch::softmax(z.detach(), 1);
    chosen = test::tensor_negatives(negatives, {shown.unlabelled, student, pseudo.accepted()});
    u = weighted_cross_entropy(z, pseudo.labels, pseudo.weights);
    n = negative_loss(z, chosen);
    (s.lambda_u * u + s.lambda_n * n).backward();
    gradient = z.grad() * s.rows;  // A row's own, whatever the number of rows.
  }
};

/// Rows so near to a line that the last bit of a softmax decides.
bool on_the_line(const ByTensors& tensors, const torch::Tensor& thresholds, std::int64_t i) {
  const auto label = tensors.pseudo.labels[i].item<std::int64_t>();
  const double from_threshold =
      tensors.pseudo.confidence[i].item<double>() - thresholds[label].item<double>();
  const double from_floor =
      (tensors.student[i] - kernels::Snl::Settings{}.floor).abs().min().item<double>();
  return std::abs(from_threshold) < 1e-6 || from_floor < 1e-7;
}

using Case = std::tuple<test::NamedThresholds, test::NamedNegatives>;

class PseudoLabelStepTest : public testing::TestWithParam<Case> {};

TEST_P(PseudoLabelStepTest, DoesWhatTensorsWithAutogradDo) {
  const auto& [threshold, negative] = GetParam();
  int rows = 0, accepted = 0, ruled_out = 0, doubtful = 0;
  for (const int classes : {3, 7, 8, 10}) {
    for (const bool probabilities : {false, true}) {
      const auto thresholds = test::tensor_thresholds(threshold.rule, classes);
      kernels::ThresholdState state = kernels::first_state(threshold.rule, classes);
      for (unsigned i = 0; i < 6; ++i) {
        StepData data(150, 40, classes, 100 * static_cast<unsigned>(classes) + i);
        if (probabilities) {
          data.teacher = [&] {
            const torch::Tensor q = torch::softmax(rows_of(data.teacher, classes), 1).contiguous();
            return std::vector<float>(q.data_ptr<float>(), q.data_ptr<float>() + q.numel());
          }();
          data.labelled = [&] {
            const torch::Tensor q = torch::softmax(rows_of(data.labelled, classes), 1).contiguous();
            return std::vector<float>(q.data_ptr<float>(), q.data_ptr<float>() + q.numel());
          }();
        }
        data.state = state;
        data.step.teacher_is_probabilities = probabilities;
        data.step.thresholds = threshold.rule;
        data.step.negatives = negative.rule;
        data.step.step = 40 * i;
        data.step.epoch = static_cast<int>(i / 2);
        data.step.lambda_u = 0.7;
        data.step.lambda_n = 0.3;
        kernels::pseudo_label_step(data.pointed());
        state = data.state;

        rows += data.step.rows;

        const ByTensors tensors(data, *thresholds, negative.rule);
        const torch::Tensor lines = thresholds->thresholds();
        for (int k = 0; k < classes; ++k)
          ASSERT_NEAR(state.thresholds[k], lines[k].item<float>(), 1e-6) << i << ' ' << k;
        const torch::Tensor chosen = tensors.chosen.contiguous();
        const torch::Tensor gradient = tensors.gradient.contiguous();
        for (std::int64_t row = 0; row < data.step.rows; ++row) {
          const auto at = static_cast<std::size_t>(row);
          ASSERT_EQ(data.pseudo_labels[at], tensors.pseudo.labels[row].item<std::int64_t>());
          ASSERT_NEAR(data.confidence[at], tensors.pseudo.confidence[row].item<float>(), 1e-6);
          if (on_the_line(tensors, lines, row)) {
            ++doubtful;
            continue;
          }
          const bool soft = threshold.rule.is<kernels::Soft>();
          ASSERT_NEAR(data.weights[at], tensors.pseudo.weights[row].item<float>(), soft ? 1e-5 : 0)
              << "step " << i << ", row " << row;
          accepted += data.weights[at] >= 0.5f;
          for (int k = 0; k < classes; ++k) {
            const auto cell = at * static_cast<std::size_t>(classes) + static_cast<std::size_t>(k);
            ASSERT_EQ(data.chosen[cell], chosen.data_ptr<bool>()[cell])
                << "step " << i << ", row " << row << ", class " << k;
            ruled_out += data.chosen[cell];
            ASSERT_NEAR(data.gradient[cell] * static_cast<float>(data.step.rows),
                        gradient.data_ptr<float>()[cell], 1e-5)
                << "step " << i << ", row " << row << ", class " << k;
          }
        }
        ASSERT_NEAR(data.losses[0], tensors.u.item<float>(), 1e-5);
        ASSERT_NEAR(data.losses[1], tensors.n.item<float>(), 1e-5);
      }
    }
  }
  // Both sides of each line were seen, and hardly a row on it.
  EXPECT_GT(accepted, rows / 50);
  EXPECT_LT(accepted, rows - 10);
  EXPECT_EQ(ruled_out > 0, !negative.rule.is<kernels::NoNegatives>()) << ruled_out;
  EXPECT_LE(doubtful, 3);
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name = std::get<0>(info.param).policy + "_" + std::get<1>(info.param).policy;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllPolicies, PseudoLabelStepTest,
                         testing::Combine(testing::ValuesIn(test::all_thresholds()),
                                          testing::ValuesIn(test::all_negatives())),
                         case_name);

TEST(PseudoLabelStep, BeginsAsTensorsDo) {
  for (const auto& [policy, rule] : test::all_thresholds()) {
    const kernels::ThresholdState state = kernels::first_state(rule, 5);
    const torch::Tensor lines = test::tensor_thresholds(rule, 5)->thresholds();
    for (int k = 0; k < 5; ++k)
      EXPECT_NEAR(state.thresholds[k], lines[k].item<float>(), 1e-7) << policy;
  }
}

TEST(PseudoLabelStep, IsWhatItsHalvesAre) {
  for (const auto& [policy, rule] : test::all_thresholds()) {
    for (const auto& [negative, negative_rule] : test::all_negatives()) {
      StepData whole(150, 40, 8, 11);
      whole.step.thresholds = rule;
      whole.step.negatives = negative_rule;
      whole.state = kernels::first_state(rule, 8);
      StepData halves = whole;
      kernels::pseudo_label_step(whole.pointed());
      PseudoLabelStep alone = halves.pointed();
      alone.student = nullptr;
      alone.gradient = alone.losses = nullptr;
      kernels::update_and_label(alone);
      EXPECT_EQ(halves.pseudo_labels, whole.pseudo_labels) << policy;
      EXPECT_EQ(halves.weights, whole.weights) << policy;
      for (int k = 0; k < 8; ++k)
        EXPECT_EQ(halves.state.thresholds[k], whole.state.thresholds[k]) << policy;

      const torch::Tensor q = torch::softmax(rows_of(halves.teacher, 8), 1).contiguous();
      const torch::Tensor p = torch::softmax(rows_of(halves.student, 8), 1).contiguous();
      const auto accepted = std::make_unique<bool[]>(150), chosen = std::make_unique<bool[]>(1200);
      for (std::size_t i = 0; i < 150; ++i) accepted[i] = halves.weights[i] >= 0.5f;
      kernels::select_negatives(negative_rule, q.data_ptr<float>(), p.data_ptr<float>(),
                                accepted.get(), 150, 8, chosen.get());
      int other = 0;
      for (std::size_t i = 0; i < 1200; ++i) other += chosen[i] != (whole.chosen[i] != 0);
      EXPECT_LE(other, 2) << negative;  // LibTorch's e^x may fall on the line's other side.
    }
  }
}

TEST(PseudoLabelStep, StaysFiniteHoweverLargeTheLogits) {
  // As NegativeLoss of the tensors: 1 - p is e^-1000 for class 0 of the first row.
  StepData data(2, 0, 3, 1);
  data.student = {1000, 0, -1000, 0, 5e4, -5e4};
  data.teacher = {-5, 0, 0.1f, 0.1f, 0, -5};  // Lowest: class 0, then class 2.
  data.step.thresholds = ThresholdRule::of<kernels::Fixed>({.tau = 1});
  data.step.negatives = NegativeRule::of<kernels::Argmin>();
  data.step.lambda_n = 1;
  data.state = kernels::first_state(data.step.thresholds, 3);
  kernels::pseudo_label_step(data.pointed());
  EXPECT_THAT(data.chosen, testing::ElementsAre(1, 0, 0, 0, 0, 1));
  EXPECT_NEAR(data.losses[1], 1000.0 / 2, 1e-3);
  for (const float g : data.gradient) EXPECT_TRUE(std::isfinite(g));
  EXPECT_NEAR(data.gradient[0], 0.5, 1e-6);
  EXPECT_NEAR(data.gradient[1], -0.5, 1e-6);
}

TEST(PseudoLabelStep, LearnsFromLabelledRowsAlone) {
  StepData data(0, 64, 8, 3);
  data.step.step = 500;
  data.step.thresholds = ThresholdRule::of<kernels::Dta>({.t_min = 0.1});
  data.state = kernels::first_state(data.step.thresholds, 8);
  kernels::pseudo_label_step(data.pointed());
  EXPECT_GT(data.state.of<kernels::Dta>().weight[0], 0);
  EXPECT_GT(data.state.thresholds[0], 0.1);
  EXPECT_THAT(data.losses, testing::ElementsAre(0, 0));
}

TEST(PseudoLabelStep, LeavesItsStatisticsNumbersWhereRowsAreNone) {
  for (const auto& [policy, rule] : test::all_thresholds()) {
    StepData data(4, 4, 8, 5);
    data.step.thresholds = rule;
    data.step.negatives = NegativeRule::of<kernels::Snl>();
    data.state = kernels::first_state(rule, 8);
    for (auto* row : {&data.teacher, &data.student, &data.labelled})
      for (int k = 0; k < 8; ++k)
        (*row)[static_cast<std::size_t>(8 + k)] = std::numeric_limits<float>::quiet_NaN();
    kernels::pseudo_label_step(data.pointed());
    EXPECT_TRUE(std::isnan(data.losses[0])) << policy;
    for (const float t : data.state.thresholds) EXPECT_TRUE(std::isfinite(t)) << policy;
    for (int i : {0, 2, 3})
      for (int k = 0; k < 8; ++k)
        EXPECT_TRUE(std::isfinite(data.gradient[static_cast<std::size_t>(8 * i + k)])) << policy;
  }
}

TEST(PseudoLabelStep, SaysWhatIsMissing) {
  const auto error_of = [](auto change) -> std::string {
    StepData data(4, 4, 8, 5);
    PseudoLabelStep step = data.pointed();
    change(step);
    try {
      kernels::pseudo_label_step(step);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of([](PseudoLabelStep&) {}), "");
  EXPECT_THAT(error_of([](PseudoLabelStep& s) { s.classes = 65; }), HasSubstr("found 65"));
  EXPECT_THAT(error_of([](PseudoLabelStep& s) { s.rows = -1; }), HasSubstr("rows"));
  EXPECT_THAT(error_of([](PseudoLabelStep& s) { s.state = nullptr; }), HasSubstr("a state"));
  EXPECT_THAT(error_of([](PseudoLabelStep& s) { s.student = nullptr; }), HasSubstr("student's"));
  EXPECT_THAT(error_of([](PseudoLabelStep& s) { s.gradient = nullptr; }), HasSubstr("gradient"));
  EXPECT_THAT(error_of([](PseudoLabelStep& s) { s.labels = nullptr; }), HasSubstr("labelled rows"));
}

}  // namespace
}  // namespace fer
