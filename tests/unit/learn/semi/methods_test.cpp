#include "learn/semi/methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "error_of.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Methods, AreMadeOfPoliciesThatThereAre) {
  EXPECT_EQ(methods().size(), 14u);
  for (const Method& method : methods()) {
    const nlohmann::json policies = describe_policies(method, 8);
    EXPECT_EQ(policies["thresholds"].is_null(), method.name == "supervised");
    EXPECT_EQ(policies["negatives"]["policy"], method.negatives);
    EXPECT_EQ(method.lambda_n > 0, method.negatives != "none") << method.name;
  }
  const Method ours = method_named("dta-snl");
  EXPECT_EQ(ours.lambda_x, 1);
  EXPECT_EQ(describe_policies(ours, 8)["thresholds"]["settings"]["t-max"], 0.6);
  EXPECT_EQ(ours.lambda_u, 1);
  EXPECT_EQ(ours.lambda_n, 0.1);
  EXPECT_EQ(describe_policies(method_named("dta-cv-mix"), 8)["thresholds"]["settings"]["mix"], 1);
  EXPECT_TRUE(method_named("cv-soft").map_heads);
  EXPECT_FALSE(nlohmann::json(method_named("dta-cv")).contains("map_heads"))
      << "checkpoints of older runs go on";
  EXPECT_EQ(describe_policies(method_named("fixmatch"), 8)["thresholds"]["settings"]["tau"], 0.95);
}

TEST(Methods, TellTheirPoliciesWithTheNamesOfTheirSettings) {
  EXPECT_THAT(threshold_policies_text(),
              AllOf(HasSubstr("fixed (tau)"), HasSubstr("ada-cm (beta, t-min)"),
                    HasSubstr("dta-cv (rho, z, top, folds, refit, l2, mix)")));
  EXPECT_THAT(negative_policies_text(),
              AllOf(HasSubstr("none, ups (tau)"), HasSubstr("snl-conformal (alpha, floor)")));
}

TEST(Methods, AreListedWhereANameIsUnknown) {
  EXPECT_THAT(test::error_of([] { method_named("mixmatch"); }),
              AllOf(HasSubstr("\"mixmatch\""), HasSubstr("supervised"), HasSubstr("ada-cm"),
                    HasSubstr("dta-snl")));
  Method method = method_named("fixmatch");
  method.thresholds = "none";
  EXPECT_THROW(describe_policies(method, 8), std::runtime_error);
}

}  // namespace
}  // namespace fer
