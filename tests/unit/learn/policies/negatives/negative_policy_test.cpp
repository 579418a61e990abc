#include "learn/policies/negative_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string error_of(const std::string& text) {
  return test::error_of([&] { make_negative_policy(text, 4); });
}

TEST(NegativePolicy, NamesWhatThereIs) {
  EXPECT_THAT(error_of("all"), AllOf(HasSubstr("\"all\""), HasSubstr("none"), HasSubstr("ups"),
                                     HasSubstr("fullmatch"), HasSubstr("lowest"),
                                     HasSubstr("argmin"), HasSubstr("snl")));
  EXPECT_THAT(error_of("none:n=1"), AllOf(HasSubstr("no setting \"n\""), HasSubstr("it has none")));
  EXPECT_THAT(error_of("lowest:n=4"), HasSubstr("[1, 3]"));
}

TEST(NegativePolicy, DescribesItself) {
  for (const std::string& name : negative_policy_names())
    EXPECT_EQ(make_negative_policy(name, 4)->describe()["policy"], name);
  EXPECT_EQ(make_negative_policy("snl:mass=0.2", 4)->describe()["settings"],
            nlohmann::json::parse(R"({"mass": 0.2, "floor": 0.01})"));
}

}  // namespace
}  // namespace fer
