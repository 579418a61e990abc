#include "sweep/job_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include "content.h"
#include "scoped.h"

namespace fer {
namespace {

using test::content;
using test::ScopedFolder;
using testing::HasSubstr;

class JobRunner : public testing::Test {
 protected:
  Job shell(const std::string& name, const std::string& script) const {
    return {name, {"sh", "-c", script}, folder_.path() / (name + ".txt")};
  }
  bool run(const std::vector<Job>& jobs, int parallel) {
    JobEvents events;
    events.ended = [&](const Job& job, int status) { statuses_[job.name] = status; };
    events.tick = [&](std::size_t, const std::vector<std::string>& running) {
      most_ = std::max(most_, running.size());
      if (stop_at_once_ && !running.empty()) stop_ = true;
    };
    return run_jobs(jobs, parallel, events, stop_);
  }

  const ScopedFolder folder_;
  std::map<std::string, int> statuses_;
  std::size_t most_ = 0;
  bool stop_at_once_ = false;
  std::atomic<bool> stop_{false};
};

TEST_F(JobRunner, TellsHowEachEndedAndKeepsWhatItSaid) {
  EXPECT_TRUE(run({shell("good", "echo out; echo err >&2"),
                   shell("bad", "exit 3"),
                   shell("killed", "kill -9 $$"),
                   {"missing", {"/nonexistent/program"}, folder_.path() / "missing.txt"}},
                  2));
  EXPECT_EQ(statuses_, (std::map<std::string, int>{
                           {"good", 0}, {"bad", 3}, {"killed", 128 + 9}, {"missing", 127}}));
  EXPECT_EQ(content(folder_.path() / "good.txt"), "out\nerr\n");
}

TEST_F(JobRunner, RunsSoManySideBySideAndNoMore) {
  // Each waits for the other's file, so that neither ends unless both run at once.
  const std::string a = (folder_.path() / "a").string(), b = (folder_.path() / "b").string();
  const auto meet = [](const std::string& mine, const std::string& theirs) {
    return "touch " + mine + "; i=0; while [ ! -e " + theirs +
           " ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done; [ -e " + theirs + " ]";
  };
  EXPECT_TRUE(run({shell("one", meet(a, b)), shell("two", meet(b, a))}, 2));
  EXPECT_EQ(statuses_, (std::map<std::string, int>{{"one", 0}, {"two", 0}}));
  most_ = 0;
  EXPECT_TRUE(run({shell("x", "sleep 0.3"), shell("y", "sleep 0.3"), shell("z", "true")}, 1));
  EXPECT_EQ(most_, 1u);
}

TEST_F(JobRunner, StopsThoseAtWorkAndStartsNoMore) {
  stop_at_once_ = true;
  EXPECT_FALSE(
      run({shell("long", "trap 'echo stopping; exit 130' TERM; while :; do sleep 0.05; done"),
           shell("later", "true")},
          1));
  EXPECT_EQ(statuses_.count("later"), 0u);
  ASSERT_EQ(statuses_.count("long"), 1u);
}

TEST_F(JobRunner, LeavesNobodyBehindWhereAnEventThrows) {
  JobEvents events;
  events.ended = [](const Job&, int) { throw std::runtime_error("no measure"); };
  events.tick = [](std::size_t, const std::vector<std::string>&) {};
  const std::string told = (folder_.path() / "told").string();
  const std::vector<Job> jobs{shell("long", "trap 'echo $$ > " + told + "; exit 130' TERM; touch " +
                                                told + "; while :; do sleep 0.05; done"),
                              shell("short", "while [ ! -e " + told + " ]; do sleep 0.05; done")};
  EXPECT_THROW(run_jobs(jobs, 2, events, stop_), std::runtime_error);
  const std::string child = content(told);
  ASSERT_NE(child, "") << "it was asked to end, and waited for";
  EXPECT_EQ(::kill(std::stoi(child), 0), -1) << "it is reaped";
}

TEST_F(JobRunner, HasNothingToDoWithoutJobs) {
  EXPECT_TRUE(run({}, 2));
}

}  // namespace
}  // namespace fer
