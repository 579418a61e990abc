#include "program/help_formatter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "program/choices.h"
#include "program/finite_range.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

enum class Pace { kSlow, kQuick };
const std::map<std::string, Pace> kPaces{{"slow", Pace::kSlow}, {"quick", Pace::kQuick}};

struct Program {
  Program() {
    app.formatter(std::make_shared<HelpFormatter>());
    command = app.add_subcommand("walk", "Walk.");
    command->add_option("--pace", pace, "How")->transform(choices(kPaces))->default_str("slow");
    command->add_option("--steps", steps, "How many")->check(CLI::Range(1, 9));
    command->add_option("--width", width, "How wide")->check(finite_range(0, 2));
    command->add_option("--from", from, "Where")->check(CLI::ExistingFile)->required();
  }
  /// Why it was refused; empty: it was not.
  std::string parse(const std::string& words) {
    try {
      app.parse(words);
      return {};
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
  }

  CLI::App app{"A test.", "test"};
  CLI::App* command;
  Pace pace = Pace::kSlow;
  int steps = 1;
  double width = 1;
  std::string from;
};

TEST(HelpFormatter, NamesTypesAsPeopleWriteThem) {
  const Program program;
  EXPECT_THAT(program.command->help(),
              AllOf(HasSubstr("--pace {quick,slow}=slow "), HasSubstr("--steps INT 1 to 9 "),
                    HasSubstr("--width NUMBER 0 to 2 "), HasSubstr("--from FILE REQUIRED"),
                    Not(HasSubstr("ENUM"))));
}

TEST(HelpFormatter, LeavesOtherTypesAlone) {
  EXPECT_EQ(readable_type("TEXT"), "TEXT");
  EXPECT_EQ(readable_type("INT:NONNEGATIVE"), "INT from 0");
  EXPECT_EQ(readable_type("UINT:UINT"), "INT");
  EXPECT_EQ(readable_type("TEXT:PATH(existing)"), "TEXT:PATH(existing)");
}

TEST(Choices, TakesAWordInAnyCaseForItsValue) {
  Program program;
  const std::string words = "walk --from " __FILE__ " --pace ";
  EXPECT_EQ(program.parse(words + "Quick"), "");
  EXPECT_EQ(program.pace, Pace::kQuick);
}

TEST(Choices, SaysWhichWordsThereAre) {
  Program program;
  EXPECT_THAT(program.parse("walk --from x --pace foo"),
              HasSubstr("--pace: expected one of quick, slow, found foo"));
}

TEST(Choices, RefusesTheNumbersBehindTheWords) {
  Program program;
  EXPECT_THAT(program.parse("walk --pace 1"), HasSubstr("found 1"));
}

}  // namespace
}  // namespace fer
