#include "stream/learner_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

const std::chrono::steady_clock::time_point kBegin{1h};

LearnerStats stats_at(std::uint64_t steps) {
  LearnerStats stats;
  stats.classes = {{"fear", 0.75, 0.5, 3, 7}};
  stats.steps = steps;
  stats.faces = 4 * steps;
  stats.serving_version = "abc";
  return stats;
}

TEST(LearnerLog, KeepsALineAnEntryAndGoesOnWithAnEarlierOnes) {
  const test::ScopedFolder folder;
  const fs::path dir = folder.path() / "made" / "by the log";
  for (std::uint64_t steps : {10, 20}) LearnerLog(dir).append(stats_at(steps), kBegin);
  const auto entries = read_learner_log(dir);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0]["steps"], 10);
  EXPECT_EQ(entries[1]["steps"], 20);
  EXPECT_EQ(entries[1]["classes"]["fear"]["threshold"], 0.75);
  EXPECT_THAT(entries[1]["time"].get<std::string>(),
              testing::MatchesRegex("20[0-9-]*T[0-9]*:[0-9]*:[0-9]*Z"));
}

TEST(LearnerLog, LeavesOutWhatACrashTore) {
  const test::ScopedFolder folder;
  LearnerLog log(folder.path());
  log.append(stats_at(10), kBegin);
  const fs::path path = folder.path() / "log.jsonl";
  fs::resize_file(path, fs::file_size(path) / 2);
  EXPECT_TRUE(read_learner_log(folder.path()).empty());
  log.append(stats_at(20), kBegin);
  log.append(stats_at(30), kBegin);
  const auto entries = read_learner_log(folder.path());
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0]["steps"], 20);
}

TEST(LearnerLog, StaysWithinItsBound) {
  const test::ScopedFolder folder;
  constexpr std::uintmax_t kMost = 4096;
  LearnerLog log(folder.path(), kMost);
  for (std::uint64_t i = 0; i < 50; ++i) log.append(stats_at(i), kBegin);
  std::uintmax_t size = 0;
  for (const auto& file : fs::directory_iterator(folder.path())) size += file.file_size();
  EXPECT_GT(size, kMost);
  EXPECT_LE(size, 2 * kMost);
  const auto entries = read_learner_log(folder.path());
  ASSERT_GT(entries.size(), 2u);
  for (std::size_t i = 0; i < entries.size(); ++i)
    EXPECT_EQ(entries[i]["steps"], 50 - entries.size() + i);
}

TEST(LearnerLog, SaysWhereItCannotWriteAndTriesAnew) {
  const test::ScopedFolder folder;
  folder.write("in the way", "");
  LearnerLog blocked(folder.path() / "in the way");
  EXPECT_THAT(test::error_of([&] { blocked.append(stats_at(0), kBegin); }),
              HasSubstr("in the way/log.jsonl"));
  fs::create_directory(folder.path() / "log.jsonl");
  LearnerLog log(folder.path());
  EXPECT_THAT(test::error_of([&] { log.append(stats_at(0), kBegin); }),
              HasSubstr("log.jsonl: cannot open"));
  fs::remove(folder.path() / "log.jsonl");
  log.append(stats_at(0), kBegin);
  EXPECT_EQ(read_learner_log(folder.path()).size(), 1u);
}

TEST(LearnerLog, SaysThatTheDiskIsFull) {
  std::error_code error;
  const test::ScopedFolder folder;
  if (!fs::exists("/dev/full", error)) GTEST_SKIP() << "there is no /dev/full";
  fs::create_symlink("/dev/full", folder.path() / "log.jsonl");
  LearnerLog log(folder.path());
  EXPECT_THAT(test::error_of([&] { log.append(stats_at(0), kBegin); }),
              HasSubstr("log.jsonl: cannot write: No space left"));
}

TEST(LearnerLog, SurvivesNamesThatAreNoUtf8) {
  const test::ScopedFolder folder;
  LearnerStats stats = stats_at(1);
  stats.last_warning = "caf\xe9.packed: no such file";
  LearnerLog(folder.path()).append(stats, kBegin);
  EXPECT_EQ(read_learner_log(folder.path()).size(), 1u);
}

TEST(LearnerLog, IsDueAfterDecisionsAndNowAndThen) {
  const test::ScopedFolder folder;
  LearnerLog log(folder.path());
  EXPECT_TRUE(log.is_due(stats_at(0), kBegin)) << "the first";
  log.append(stats_at(0), kBegin);
  EXPECT_FALSE(log.is_due(stats_at(0), kBegin + 1h)) << "nothing happened";
  EXPECT_FALSE(log.is_due(stats_at(9), kBegin + 6s));
  EXPECT_FALSE(log.is_due(stats_at(10), kBegin + 4s));
  EXPECT_TRUE(log.is_due(stats_at(10), kBegin + 6s));
  EXPECT_TRUE(log.is_due(stats_at(1), kBegin + 61s));
  LearnerStats faces = stats_at(0);
  faces.faces = 1;
  EXPECT_TRUE(log.is_due(faces, kBegin + 61s)) << "the memory fills before the first step";
  LearnerStats kept = stats_at(0);
  kept.kept = 1;
  EXPECT_TRUE(log.is_due(kept, kBegin));
  LearnerStats reset = stats_at(0);
  reset.decision = "reset";
  EXPECT_TRUE(log.is_due(reset, kBegin));
  log.append(kept, kBegin);
  EXPECT_FALSE(log.is_due(kept, kBegin)) << "told already";
}

TEST(LearnerLog, IsNotATrainingRuns) {
  const test::ScopedFolder folder;
  EXPECT_TRUE(read_learner_log(folder.path()).empty());
  folder.write("log.jsonl", "{\"epoch\":0}\n{\"epoch\":1}\n");
  EXPECT_TRUE(read_learner_log(folder.path()).empty());
}

}  // namespace
}  // namespace fer
