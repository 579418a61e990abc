#include "util/read_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using test::ScopedFolder;
using testing::HasSubstr;

TEST(ReadFile, GivesTheBytes) {
  const ScopedFolder folder;
  EXPECT_EQ(read_file(folder.write("a", std::string("x\0y", 3)), 3), std::string("x\0y", 3));
  EXPECT_EQ(read_file(folder.write("none", ""), 3), "");
}

TEST(ReadFile, LooksAtTheSizeBeforeItReads) {
  const ScopedFolder folder;
  const auto path = folder.write("large", "x");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40);  // Takes no space.
  EXPECT_THAT(error_of([&] { read_file(path, 1000); }),
              HasSubstr("large: expected at most 1000 bytes, found 1099511627776"));
}

TEST(ReadFile, TakesRegularFilesAlone) {
  const ScopedFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const auto& [path, kind] : {std::pair<std::filesystem::path, const char*>{pipe,
                                                                                 "a named "
                                                                                 "pipe"},
                                   {"/dev/zero", "a device"},
                                   {folder.path(), "a folder"}}) {
    const std::string expected = path.string() + ": expected a regular file, found " + kind;
    EXPECT_EQ(error_of([&, path = path] { read_file(path, 10); }), expected);
    EXPECT_EQ(error_of([&, path = path] { require_regular_file(path); }), expected);
  }
  EXPECT_THAT(error_of([&] { read_file(folder.path() / "none", 10); }),
              HasSubstr("none: cannot be opened: "));
}

}  // namespace
}  // namespace fer
