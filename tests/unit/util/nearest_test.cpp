#include "util/nearest.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

TEST(Nearest, IsWhatWasMeant) {
  const std::vector<std::string> commands{"train", "teach", "eval", "info", "pack"};
  EXPECT_EQ(nearest("tain", commands), "train");
  EXPECT_EQ(nearest("tarin", commands), "train");
  EXPECT_EQ(nearest("evaluate", commands), "");
  EXPECT_EQ(nearest("inof", commands), "info");
  EXPECT_EQ(nearest("frobnicate", commands), "");
  EXPECT_EQ(nearest("x", {}), "");
  EXPECT_EQ(nearest("--epcohs", {"--epochs", "--erase"}), "--epochs");
}

TEST(EditsBetween, CountsASwapOnce) {
  EXPECT_EQ(edits_between("", "abc"), 3u);
  EXPECT_EQ(edits_between("abc", "acb"), 1u);
  EXPECT_EQ(edits_between("abc", "abc"), 0u);
  EXPECT_EQ(edits_between("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace fer
