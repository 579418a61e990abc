#include "model/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "scoped.h"

namespace fer {
namespace {

using testing::HasSubstr;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// What writing says; empty where it succeeds.
std::string failure(const std::filesystem::path& path, const std::string& bytes) {
  try {
    write_atomically(path, {bytes});
    return {};
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    return error.what();
  }
}

class AtomicFile : public testing::Test {
 protected:
  test::ScopedFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "file";
};

TEST_F(AtomicFile, HoldsItsPiecesInOrder) {
  write_atomically(path_, {"one ", "", "two"});
  EXPECT_EQ(bytes_of(path_), "one two");
  write_atomically(path_, {});
  EXPECT_EQ(bytes_of(path_), "");
  EXPECT_EQ(files_in(folder_.path()), 1u);
}

TEST_F(AtomicFile, TakesThePlaceOfTheOldOneAsAnotherFile) {
  folder_.write("file", "old");
  std::ifstream reader(path_);
  write_atomically(path_, {"new"});
  // Who has the old file open or mapped keeps it.
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>(reader), {}}), "old");
  EXPECT_EQ(bytes_of(path_), "new");
}

TEST_F(AtomicFile, HasTheModeOfAnyNewFile) {
  write_atomically(path_, {"x"});
  std::ofstream(folder_.path() / "plain") << "x";
  struct stat ours {
  }, plain{};
  ASSERT_EQ(stat(path_.c_str(), &ours), 0);
  ASSERT_EQ(stat((folder_.path() / "plain").c_str(), &plain), 0);
  EXPECT_EQ(ours.st_mode, plain.st_mode);
}

TEST_F(AtomicFile, LeavesTheOldOneWhereTheDiskIsFull) {
  folder_.write("file", "old");
  // A limit on the size of files fails a write in its middle, as a full disk does.
  struct sigaction ignore {
  }, before_action{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &before_action);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string said = failure(path_, std::string(100'000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  sigaction(SIGXFSZ, &before_action, nullptr);
  EXPECT_THAT(said, HasSubstr("cannot write"));
  EXPECT_EQ(bytes_of(path_), "old");
  EXPECT_EQ(files_in(folder_.path()), 1u);
}

TEST_F(AtomicFile, LeavesTheOldOneWhereTheWriterDies) {
  folder_.write("file", "old");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // The limit's signal ends the process in the middle of its write.
    const rlimit small{4096, 4096}, no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_FSIZE, &small);
    signal(SIGXFSZ, SIG_DFL);
    write_atomically(path_, {std::string(100'000, 'x')});
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(bytes_of(path_), "old");
  // And the next writer is not disturbed by what the dead one left.
  write_atomically(path_, {"new"});
  EXPECT_EQ(bytes_of(path_), "new");
}

TEST_F(AtomicFile, IsWholeForWhoeverReadsMeanwhile) {
  const std::string a(300'000, 'a'), b(200'000, 'b');
  write_atomically(path_, {a});
  std::thread writer([&] {
    for (int i = 0; i < 40; ++i) write_atomically(path_, {i % 2 == 0 ? b : a});
  });
  for (int i = 0; i < 100; ++i) {
    const std::string seen = bytes_of(path_);
    EXPECT_TRUE(seen == a || seen == b) << seen.size() << " bytes";
  }
  writer.join();
}

TEST_F(AtomicFile, SaysWhatItCannotDo) {
  EXPECT_THAT(failure(folder_.path() / "missing" / "file", "x"), HasSubstr("No such file"));
  EXPECT_THAT(failure("/proc/file", "x"), HasSubstr("temporary file"));
  EXPECT_THAT(failure(folder_.path() / std::string(300, 'n'), "x"), HasSubstr("too long"));
  std::filesystem::create_directories(folder_.path() / "full" / "folder");
  EXPECT_THAT(failure(folder_.path() / "full", "x"), HasSubstr("cannot rename"));
  EXPECT_EQ(files_in(folder_.path()), 1u);  // no temporary is left
}

TEST_F(AtomicFile, TakesThePlaceOfWhatALinkLeadsTo) {
  std::filesystem::create_directories(folder_.path() / "there");
  std::filesystem::create_symlink("there/real", path_);
  std::filesystem::create_symlink("file", folder_.path() / "second");
  for (const char* text : {"made", "replaced"}) {
    write_atomically(folder_.path() / "second", {text});
    EXPECT_EQ(bytes_of(folder_.path() / "there" / "real"), text);
  }
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  EXPECT_TRUE(std::filesystem::is_symlink(folder_.path() / "second"));
  EXPECT_EQ(files_in(folder_.path() / "there"), 1u);
}

TEST_F(AtomicFile, IsWrittenIntoPipesAndDevices) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = bytes_of(path_); });
  write_atomically(path_, {"one ", "two"});
  reader.join();
  EXPECT_EQ(read, "one two");
  EXPECT_TRUE(std::filesystem::is_fifo(path_));
  // Through a link: a failure must not cost the machine its device.
  std::filesystem::create_symlink("/dev/full", folder_.path() / "full");
  EXPECT_THAT(failure(folder_.path() / "full", "x"), HasSubstr("cannot write"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(AtomicFile, CannotBeWrittenIntoAReadOnlyFolder) {
  if (geteuid() == 0) GTEST_SKIP() << "root writes anywhere";
  std::filesystem::permissions(
      folder_.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const std::string said = failure(path_, "x");
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_all);
  EXPECT_THAT(said, HasSubstr("Permission denied"));
}

}  // namespace
}  // namespace fer
