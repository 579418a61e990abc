#include "commands/deprecated_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "program/finite_range.h"

namespace fer {
namespace {

using testing::HasSubstr;
using testing::Not;

class DeprecatedOption : public testing::Test {
 protected:
  DeprecatedOption() {
    command_.add_option("--min-face", value_, "Height");
    add_deprecated(command_, "--least-face", value_, "--min-face")->check(finite_range(1, 100));
  }

  /// What the command says on stderr about these arguments.
  std::string said_of(const std::string& arguments) {
    testing::internal::CaptureStderr();
    command_.parse(arguments);
    return testing::internal::GetCapturedStderr();
  }

  CLI::App command_;
  double value_ = 24;
};

TEST_F(DeprecatedOption, SetsTheValueAndNamesItsSuccessor) {
  EXPECT_THAT(said_of("--least-face 12"), HasSubstr("--least-face is deprecated; use --min-face"));
  EXPECT_EQ(value_, 12);
}

TEST_F(DeprecatedOption, LeavesTheNewNameAlone) {
  EXPECT_EQ(said_of("--min-face 12"), "");
  EXPECT_EQ(value_, 12);
}

TEST_F(DeprecatedOption, DoesNotShowInTheHelp) {
  EXPECT_THAT(command_.help(), HasSubstr("--min-face"));
  EXPECT_THAT(command_.help(), Not(HasSubstr("--least-face")));
}

TEST_F(DeprecatedOption, IsCheckedAsTheNewOneIs) {
  EXPECT_THROW(command_.parse("--least-face 101"), CLI::ValidationError);
}

}  // namespace
}  // namespace fer
