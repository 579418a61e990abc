#include "terminal/output_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;

TEST(RequireWritable, SaysWhatIsWrongBeforeTheWork) {
  const ScopedFolder folder;
  EXPECT_EQ(error_of([&] { require_writable(folder.path() / "new"); }), "");
  EXPECT_EQ(error_of([] { require_writable("new-file-in-this-folder"); }), "");
  EXPECT_THAT(error_of([&] { require_writable(folder.path() / "none" / "new"); }),
              AllOf(HasSubstr("none/new: "), HasSubstr("no folder")));
  EXPECT_THAT(error_of([&] { require_writable(folder.path()); }), HasSubstr("found a folder"));
  if (::geteuid() == 0) return;  // root may write anywhere
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(error_of([&] { require_writable(folder.path() / "new"); }),
              HasSubstr("cannot write in its folder"));
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(RequireWritable, LooksWhereALinkLeads) {
  const ScopedFolder folder;
  fs::create_symlink("none/new", folder.path() / "away");
  EXPECT_THAT(error_of([&] { require_writable(folder.path() / "away"); }),
              AllOf(HasSubstr("away: "), HasSubstr("no folder")));
  EXPECT_EQ(error_of([] { require_writable("/dev/null"); }), "");
}

TEST(RequireWritableFolder, SaysWhatIsWrongBeforeTheWork) {
  const ScopedFolder folder;
  EXPECT_EQ(error_of([&] { require_writable_folder(folder.path()); }), "");
  EXPECT_EQ(error_of([&] { require_writable_folder(folder.path() / "a" / "new"); }), "");
  EXPECT_EQ(error_of([] { require_writable_folder("new-folder-here"); }), "");
  const fs::path file = folder.write("file", "x");
  EXPECT_THAT(error_of([&] { require_writable_folder(file); }),
              HasSubstr("file: expected a folder to write to, found a file"));
  EXPECT_THAT(error_of([&] { require_writable_folder(file / "below"); }),
              HasSubstr("found a file at " + file.string()));
}

TEST(RequireOutputs, RefusesWhatIsReadAndWhatIsNamedTwice) {
  const ScopedFolder folder;
  const fs::path read = folder.write("read", "x"), link = folder.path() / "link",
                 fresh = folder.path() / "new";
  fs::create_symlink("read", link);
  EXPECT_EQ(error_of([&] {
              require_outputs({fresh, {}}, {read, folder.path() / "none", {}});
            }),
            "");
  EXPECT_THAT(error_of([&] {
                require_outputs({fresh, read}, {read});
              }),
              AllOf(HasSubstr(read.string() + ": "), HasSubstr("is read by this command")));
  EXPECT_THAT(error_of([&] { require_outputs({link}, {read}); }), HasSubstr("link: is read"));
  EXPECT_THAT(error_of([&] {
                require_outputs({fresh, folder.path() / "." / "new"}, {});
              }),
              HasSubstr("two files at once"));
  EXPECT_THAT(error_of([&] { require_outputs({folder.path() / "none" / "new"}, {}); }),
              HasSubstr("no folder"));
  EXPECT_EQ(error_of([] { require_outputs({"/dev/null", "/dev/null"}, {"/dev/null"}); }), "");
}

}  // namespace
}  // namespace fer
