#include "network/average_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <stdexcept>

#include "error_of.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

using test::RandomModel;
using testing::AllOf;
using testing::HasSubstr;

TEST(AverageModels, TakesTheMeanOfEachWeight) {
  RandomModel one(test::tiny_config(), 1), two(test::tiny_config(), 2),
      three(test::tiny_config(), 3);
  one.info().version = "one";
  two.info().version = "two";
  three.info().version = "three";
  one.info().calibration.temperature = 2;
  one.info().operating_points.assign(8, 0.5f);
  const ModelFile mean = average_models({one.file(), two.file(), three.file()});
  ASSERT_EQ(mean.weights.size(), one.file().weights.size());
  for (const auto& [name, tensor] : mean.weights) {
    const torch::Tensor expected = (one.file().weights.at(name) + two.file().weights.at(name) +
                                    three.file().weights.at(name)) /
                                   3;
    EXPECT_TRUE(torch::allclose(tensor, expected)) << name;
    EXPECT_EQ(tensor.scalar_type(), torch::kFloat) << name;
  }
  EXPECT_EQ(mean.info.labels, one.info().labels);
  EXPECT_TRUE(mean.info.calibration.is_identity()) << "it was fitted on other answers";
  EXPECT_TRUE(mean.info.operating_points.empty());
  EXPECT_EQ(mean.info.parent, "one");
  EXPECT_EQ(mean.info.provenance["averaged"], (nlohmann::json{"one", "two", "three"}));
}

TEST(AverageModels, LeavesDroppingToTraining) {
  RandomModel one, two;
  two.info().network.dropout = 0.5;
  EXPECT_NO_THROW(average_models({one.file(), two.file()}));
}

TEST(AverageModels, RefusesWhatDoesNotFit) {
  const auto error_of = [](auto change) {
    RandomModel one, other;
    one.info().version = "one";
    other.info().version = "other";
    change(other);
    return test::error_of([&] { average_models({one.file(), other.file()}); });
  };
  EXPECT_EQ(error_of([](RandomModel&) {}), "");
  EXPECT_THAT(error_of([](RandomModel& m) { m.info().labels.front() = "calm"; }),
              AllOf(HasSubstr("other"), HasSubstr("one"), HasSubstr("calm")));
  EXPECT_THAT(error_of([](RandomModel& m) { m.info().mean = 0.1f; }), HasSubstr("mean"));
  EXPECT_THAT(error_of([](RandomModel& m) { m.info().network.widths[0] += 8; }),
              HasSubstr("widths"));
  EXPECT_THROW(average_models({}), std::runtime_error);
}

}  // namespace
}  // namespace fer
