#include "report/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

#include "scoped.h"

namespace fer {
namespace {

using nlohmann::json;

class RunRecordTest : public testing::Test {
 protected:
  json read() const {
    std::ifstream in(file_);
    return json::parse(in);
  }

  static TrainResult result(bool stopped) {
    TrainResult result;
    result.best = {{"accuracy", 0.75}};
    result.last = {{"accuracy", 0.5}};
    result.stopped = stopped;
    result.seconds = 12.5;
    return result;
  }

  const test::ScopedFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "run.json";
};

TEST_F(RunRecordTest, SaysWhatWasAskedAndWhatCameOfIt) {
  RunRecord record(file_, {{"seed", 4}});
  EXPECT_FALSE(std::filesystem::exists(file_));
  record.start();
  EXPECT_EQ(read()["state"], "running");
  EXPECT_EQ(read()["seed"], 4);
  EXPECT_FALSE(read().contains("wall_s"));
  record.finish(result(false));
  const json done = read();
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["best"]["accuracy"], 0.75);
  EXPECT_EQ(done["last"]["accuracy"], 0.5);
  EXPECT_EQ(done["wall_s"], 12.5);
  EXPECT_THAT(done["command"][0].get<std::string>(), testing::HasSubstr("run-record-test"));
  EXPECT_EQ(done["versions"]["gst-fer"], PACKAGE_VERSION);
  EXPECT_GT(done["host"]["cores"], 0);
  EXPECT_THAT(done["started"].get<std::string>(), testing::MatchesRegex("20..-..-..T..:..:..Z"));
}

TEST_F(RunRecordTest, SaysThatARunWasStopped) {
  RunRecord record(file_, json::object());
  record.start();
  record.finish(result(true));
  EXPECT_EQ(read()["state"], "stopped");
}

TEST_F(RunRecordTest, KeepsWhatARunLeftThatHadNothingMoreToDo) {
  {
    RunRecord first(file_, {{"seed", 4}});
    first.start();
    first.finish(result(false));
  }
  const json before = read();
  RunRecord second(file_, {{"seed", 5}});
  second.finish(result(false));
  EXPECT_EQ(read(), before);
}

TEST_F(RunRecordTest, NamesAFileThatCannotBeWritten) {
  RunRecord record(folder_.path() / "none" / "run.json", json::object());
  EXPECT_THROW(record.start(), std::runtime_error);
}

}  // namespace
}  // namespace fer
