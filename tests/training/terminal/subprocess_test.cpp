#include "terminal/subprocess.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

using std::chrono::seconds;

TEST(RunProgram, TellsWhatAProgramWroteAndReturned) {
  const ProgramResult result =
      run_program({"sh", "-c", "echo one; echo two >&2; echo \"$0\"; exit 3", "a b"}, seconds(20));
  EXPECT_TRUE(result.ran);
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.out, "one\na b\n");
}

TEST(RunProgram, ReadsMoreThanAPipeHolds) {
  const ProgramResult result = run_program({"head", "-c", "300000", "/dev/zero"}, seconds(20));
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out.size(), 300000u);
}

TEST(RunProgram, GivesNothingToRead) {
  EXPECT_EQ(run_program({"cat"}, seconds(20)).status, 0);
}

TEST(RunProgram, SaysWhereThereIsNone) {
  const ProgramResult result = run_program({"no-such-program-anywhere"}, seconds(20));
  EXPECT_FALSE(result.ran);
  EXPECT_EQ(result.out, "");
}

TEST(RunProgram, EndsWhatTakesTooLong) {
  const ProgramResult result = run_program({"sh", "-c", "echo begun; exec sleep 600"}, seconds(1));
  EXPECT_FALSE(result.ran);
  EXPECT_EQ(result.status, -1);
  EXPECT_EQ(result.out, "begun\n");
}

}  // namespace
}  // namespace fer
