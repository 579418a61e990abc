#include "util/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <optional>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;

constexpr auto kNoHold = FolderLock::Children::kNoHold;

TEST(FolderLock, KeepsASecondOneOutForAsLongAsItLives) {
  const ScopedFolder folder;
  const auto path = folder.path() / "made" / "here";
  std::optional<FolderLock> first;
  first.emplace(path, "training", kNoHold);
  EXPECT_THAT(error_of([&] { FolderLock(path, "training", kNoHold); }),
              AllOf(HasSubstr(path.string() + ": "), HasSubstr("no other training works in")));
  first.reset();
  EXPECT_EQ(error_of([&] { FolderLock(path, "training", kNoHold); }), "");
}

TEST(FolderLock, OutlivesItsHolderInTheProgramsThatItStartedWhereAskedTo) {
  const ScopedFolder folder;
  for (const auto children : {FolderLock::Children::kHold, kNoHold}) {
    pid_t child = -1;
    {
      const FolderLock lock(folder.path(), "sweep", children);
      child = ::fork();
      if (child == 0) {
        ::execlp("sleep", "sleep", "60", nullptr);
        ::_exit(127);
      }
      // Until it is another program, it holds whatever we hold.
      ::usleep(300'000);
    }
    EXPECT_EQ(error_of([&] { FolderLock(folder.path(), "sweep", kNoHold); }).empty(),
              children == kNoHold);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}

TEST(MakeFolder, NamesWhatIsInItsWay) {
  const ScopedFolder folder;
  const std::string file = folder.write("file", "x");
  EXPECT_EQ(error_of([&] { make_folder(folder.path() / "a" / "b" / ""); }), "");
  EXPECT_EQ(error_of([&] { make_folder(folder.path() / "a"); }), "");
  for (const std::string below : {"", "/below", "/far/below"})
    EXPECT_THAT(error_of([&] { make_folder(file + below); }),
                AllOf(HasSubstr(file + below + ": expected a folder"),
                      HasSubstr(file + " is a file; name another folder")));
}

}  // namespace
}  // namespace fer
