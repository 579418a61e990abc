#include "stream/checkpoint_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "content.h"
#include "error_of.h"
#include "scoped.h"
#include "stream/checkpoint_names.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class CheckpointFolderTest : public testing::Test {
 protected:
  std::string refusal() const {
    return test::error_of([&] { CheckpointFolder folder(path_, "source"); });
  }
  fs::perms mode() const { return fs::status(path_).permissions(); }

  const test::ScopedFolder scope_;
  const fs::path path_ = scope_.path() / "learnt";
};

TEST_F(CheckpointFolderTest, IsForItsOwnerAndSaysWhoseItIs) {
  const CheckpointFolder folder(path_, "abc123");
  EXPECT_EQ(mode(), fs::perms::owner_all);
  EXPECT_THAT(test::content(path_ / "fer-learner.json"), HasSubstr("abc123"));
}

TEST_F(CheckpointFolderTest, LetsNobodyElseWorkThere) {
  const CheckpointFolder folder(path_, "source");
  EXPECT_THROW(CheckpointFolder(path_, "source"), FolderBusy);
}

TEST_F(CheckpointFolderTest, KeepsTheModeThatItsOwnerGaveItLater) {
  { const CheckpointFolder folder(path_, "source"); }
  const auto shared = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec;
  fs::permissions(path_, shared);
  const CheckpointFolder folder(path_, "source");
  EXPECT_EQ(mode(), shared);
}

TEST_F(CheckpointFolderTest, RefusesFilesThatItWouldReplaceOrDelete) {
  fs::create_directories(path_);
  for (const char* name : {"served.fer", "00000001.fer", "00000007.good.state"}) {
    std::ofstream(path_ / name) << "somebody's";
    EXPECT_THAT(refusal(), HasSubstr(std::string("found ") + name + " but no fer-learner.json"));
    fs::remove(path_ / name);
  }
  std::ofstream(path_ / "notes.state") << "somebody's";
  EXPECT_EQ(refusal(), "") << "that name is none of its own";
}

TEST_F(CheckpointFolderTest, TakesAFolderOfVersion01) {
  fs::create_directories(path_);
  std::ofstream(path_ / "00000001.fer") << "ours";
  std::ofstream(path_ / "log.jsonl") << "{}";
  EXPECT_EQ(refusal(), "");
  EXPECT_TRUE(fs::exists(path_ / "fer-learner.json"));
}

TEST_F(CheckpointFolderTest, IsMadeAndLockedAnewWhereItWasRemoved) {
  CheckpointFolder folder(path_, "source");
  fs::remove_all(path_);
  folder.ensure();
  EXPECT_TRUE(fs::exists(path_ / "fer-learner.json"));
  EXPECT_EQ(mode(), fs::perms::owner_all);
  EXPECT_THROW(CheckpointFolder(path_, "source"), FolderBusy);
  fs::remove_all(path_);
  const CheckpointFolder quicker(path_, "source");
  EXPECT_THROW(folder.ensure(), FolderBusy);
}

TEST(CheckpointName, IsWrittenAsItIsRead) {
  for (const char* name : {"00000012.fer", "00000012.good.state", "123456789.good.fer"}) {
    std::string_view ending;
    const auto parsed = CheckpointName::parse(name, &ending);
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(parsed->file(std::string(ending).c_str()), name);
  }
  for (const char* name : {"12.fer", "0000000x.fer", "00000012.bad.fer", "00000012.fer.bak", "fer",
                           "-0000001.fer", "00000012.good", "notes.state"}) {
    EXPECT_FALSE(CheckpointName::parse(name)) << name;
  }
  EXPECT_TRUE(CheckpointName::is_temporary(".00000012.good.state.4711"));
  EXPECT_FALSE(CheckpointName::is_temporary(".9notes"));
  EXPECT_FALSE(CheckpointName::is_temporary(".00000012.state."));
  EXPECT_FALSE(CheckpointName::is_temporary("00000012.state.12"));
}

}  // namespace
}  // namespace fer
