#include "mqtt/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kPlenty = 1 << 20;

class SpoolTest : public testing::Test {
 protected:
  void open(std::uint64_t bytes = kPlenty) {
    spool_.reset();
    spool_.emplace(path_, bytes);
  }
  void push(int from, int to) {
    for (int i = from; i < to; ++i) spool_->push("topic", std::to_string(i), 0);
  }
  std::vector<std::string> texts(std::int64_t after = 0, std::size_t most = 1000) {
    std::vector<std::string> found;
    for (const Spool::Line& line : spool_->after(after, most)) found.push_back(line.text);
    return found;
  }
  std::string refusal() {
    return error_of([&] { Spool(path_, kPlenty); });
  }

  const test::ScopedFolder folder_;
  const std::string path_ = folder_.path() / "spool";
  std::optional<Spool> spool_;
};

TEST_F(SpoolTest, KeepsLinesInOrderUntilTheyAreErased) {
  open();
  push(0, 5);
  EXPECT_THAT(texts(), ElementsAre("0", "1", "2", "3", "4"));
  const auto lines = spool_->after(0, 2);
  EXPECT_EQ(lines[0].topic, "topic");
  EXPECT_THAT(texts(lines[1].id, 2), ElementsAre("2", "3"));
  spool_->erase({lines[1].id, lines[0].id});
  EXPECT_THAT(texts(), ElementsAre("2", "3", "4"));
  EXPECT_EQ(spool_->lines(), 3u);
}

TEST_F(SpoolTest, SurvivesARestart) {
  open();
  push(0, 3);
  open();
  EXPECT_EQ(spool_->lines(), 3u);
  push(3, 5);
  EXPECT_THAT(texts(), ElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(SpoolTest, SurvivesASuddenDeath) {
  const pid_t child = fork();
  if (child == 0) {
    Spool spool(path_, kPlenty);
    for (int i = 0; i < 50; ++i) spool.push("topic", std::to_string(i), 0);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  open();
  EXPECT_EQ(spool_->lines(), 50u);
  EXPECT_THAT(texts(0, 2), ElementsAre("0", "1"));
}

TEST_F(SpoolTest, KeepsAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 512; ++i) bytes.push_back(static_cast<char>(i % 256));
  open();
  spool_->push("topic", bytes, 0);
  open();
  EXPECT_THAT(texts(), ElementsAre(bytes));
}

TEST_F(SpoolTest, ReadsTextsThatAnEarlierVersionKept) {
  open();
  push(0, 1);
  spool_.reset();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "INSERT INTO lines(topic, text) VALUES('topic', 'as text')",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  open();
  EXPECT_THAT(texts(), ElementsAre("0", "as text"));
  EXPECT_EQ(spool_->push("topic", "1", 0), 0u);
}

TEST_F(SpoolTest, SaysWhetherAMessageFits) {
  open(10);
  EXPECT_TRUE(spool_->has_room(10));
  spool_->push("topic", "abc", 0);
  EXPECT_TRUE(spool_->has_room(7));
  EXPECT_FALSE(spool_->has_room(8));
}

TEST_F(SpoolTest, DropsTheOldestAndSaysHowMany) {
  open(10);
  push(0, 10);
  EXPECT_EQ(spool_->push("topic", "abc", 0), 3u);
  EXPECT_THAT(texts(), ElementsAre("3", "4", "5", "6", "7", "8", "9", "abc"));
  // A smaller bound counts for what was there before, too.
  open(5);
  EXPECT_EQ(spool_->push("topic", "x", 0), 6u);
  EXPECT_THAT(texts(), ElementsAre("9", "abc", "x"));
}

TEST_F(SpoolTest, DoesNotDropWhatIsOnItsWay) {
  open(4);
  push(0, 4);
  const std::int64_t sent = spool_->after(0, 2)[1].id;
  EXPECT_EQ(spool_->push("topic", "4", sent), 1u);
  EXPECT_THAT(texts(), ElementsAre("0", "1", "3", "4"));
}

TEST_F(SpoolTest, IsForItsOwnerAlone) {
  open();
  push(0, 1);
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    struct stat status {};
    ASSERT_EQ(stat(file.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << file.path();
  }
}

TEST_F(SpoolTest, IsUsedByOneAtATime) {
  open();
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr("another element")));
  spool_.reset();
  EXPECT_THAT(refusal(), IsEmpty());
}

TEST_F(SpoolTest, RefusesOtherFilesAndLeavesThemAsTheyAre) {
  const std::string notes = "my notes, which are longer than the head of a database would be.\n";
  folder_.write("spool", notes + notes);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr("no database")));
  std::ifstream in(path_);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line + "\n", notes);
  std::filesystem::remove(path_);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  sqlite3_exec(other, "CREATE TABLE mine(x)", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_THAT(refusal(), HasSubstr("another program's"));
  EXPECT_THAT(error_of([] { Spool("/no/such/folder/spool", kPlenty); }),
              AllOf(HasSubstr("/no/such/folder/spool"), HasSubstr("No such file")));
}

}  // namespace
}  // namespace fer
