// `fer train` in several processes. FER_PROGRAM names the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <list>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/tiny_dataset.h"
#include "fer_program.h"
#include "free_port.h"
#include "learn/distributed/process_group.h"
#include "model/safetensors.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::content;
using test::Fer;
using test::fer;
using test::Outcome;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Words = std::vector<std::string>;

/// How far a run in several processes may be from that in one. Sums are rounded in another order,
/// and the steps of a usual learning rate let that grow as fast as another number of threads does;
/// small steps show what is rounding and what is not
/// (docs/how-to/train-on-gpus-and-many-machines.md has the figures of both).
constexpr const char* kSmallSteps = "0.0001";
constexpr double kLossTolerance = 1e-5;    ///< Of each loss in the log, relative.
constexpr double kWeightTolerance = 2e-4;  ///< Of each tensor, relative to its largest value.

class ProcessesTest : public testing::Test {
 protected:
  ProcessesTest() { write_packed(path("tiny.packed"), test::tiny_info(), test::tiny_rows(24)); }

  std::string path(const std::string& name) const { return folder_.path() / name; }

  /// Words of a command and further options, each with a value, that stand in the place of those
  /// that are there already.
  static Words with(Words words, const Words& more) {
    for (auto option = more.begin(); option != more.end(); option += 2) {
      const auto there = std::find(words.begin(), words.end(), *option);
      if (there != words.end()) words.erase(there, there + 2);
      words.insert(words.end(), option, option + 2);
    }
    return words;
  }

  /// With all that is random, and rows that mix with those of the other process.
  Words supervised(const std::string& out, const Words& more = {}) const {
    return with({"train",        "--data",    path("tiny.packed"),
                 "--out",        path(out),   "--network",
                 "fernet-small", "--epochs",  "3",
                 "--batch",      "12",        "--learning-rate",
                 kSmallSteps,    "--mixup",   "0.2",
                 "--balance",    "0.5",       "--drop-feature",
                 "0.1",          "--threads", "1",
                 "--fp32"},
                more);
  }

  Words semi(const std::string& out, const Words& more = {}) const {
    return with({"train",
                 "--labeled",
                 path("tiny.packed"),
                 "--labels-per-class",
                 "4",
                 "--network",
                 "fernet-small",
                 "--steps",
                 "12",
                 "--epoch-steps",
                 "4",
                 "--batch",
                 "6",
                 "--learning-rate",
                 kSmallSteps,
                 "--mu",
                 "2",
                 "--threads",
                 "1",
                 "--fp32",
                 "--out",
                 path(out)},
                more);
  }

  /// The environment of a process.
  static std::map<std::string, std::string> place(int rank, int size, int port) {
    return {{"RANK", std::to_string(rank)},
            {"WORLD_SIZE", std::to_string(size)},
            {"LOCAL_RANK", std::to_string(rank)},
            {"MASTER_ADDR", "127.0.0.1"},
            {"MASTER_PORT", std::to_string(port)}};
  }

  /// Two processes at work; each has words of its own.
  std::list<Fer> start(const Words& first, const Words& second) const {
    const int port = test::free_port();
    std::list<Fer> both;
    both.emplace_back(first, place(0, 2, port));
    both.emplace_back(second, place(1, 2, port));
    return both;
  }

  static std::vector<Outcome> wait(std::list<Fer>& all) {
    std::vector<Outcome> outcomes;
    for (Fer& one : all) outcomes.push_back(one.wait());
    return outcomes;
  }

  /// Runs two processes that must get to their end.
  void run_two(const Words& first, const Words& second) const {
    std::list<Fer> both = start(first, second);
    for (const Outcome& outcome : wait(both)) EXPECT_EQ(outcome.code, 0) << outcome.err;
  }

  void run_one(const Words& words) const {
    const Outcome outcome = fer(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }

  std::vector<json> log(const std::string& out) const {
    std::vector<json> lines;
    std::istringstream in(content(path(out) + "/log.jsonl"));
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
  }

  /// A tensor's values; all that a model trained with --fp32 holds is of that type.
  static std::vector<float> numbers(const TensorView& tensor) {
    EXPECT_EQ(tensor.dtype, DType::kF32);
    std::vector<float> values(tensor.bytes / sizeof(float));
    std::memcpy(values.data(), tensor.data, tensor.bytes);
    return values;
  }

  /// The largest difference between two models' tensors, each relative to its largest value.
  double distance(const std::string& out, const std::string& other) const {
    const SafetensorsFile a(path(out) + "/last.fer"), b(path(other) + "/last.fer");
    EXPECT_EQ(a.tensors().size(), b.tensors().size());
    double max = 0;
    for (const auto& [name, tensor] : a.tensors()) {
      const std::vector<float> x = numbers(tensor), y = numbers(b.tensors().at(name));
      if (x.size() != y.size()) return INFINITY;
      double largest = 1e-3, difference = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        largest = std::max(largest, std::fabs(double{x[i]}));
        difference = std::max(difference, std::fabs(double{x[i]} - double{y[i]}));
      }
      max = std::max(max, difference / largest);
    }
    return max;
  }

  /// The same curve: all that a log says but for times, within the tolerance.
  void expect_same(const std::string& out, const std::string& reference) const {
    const auto lines = log(out), expected = log(reference);
    ASSERT_EQ(lines.size(), expected.size());
    double worst = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (const auto& [key, value] : expected[i].items()) {
        if (key == "seconds" || key == "images_per_second" || key == "data_share") continue;
        if (key.starts_with("loss")) {
          const double off = std::fabs(lines[i][key].get<double>() - value.get<double>()) /
                             std::max(1e-3, value.get<double>());
          worst = std::max(worst, off);
          EXPECT_LT(off, kLossTolerance) << key << " of epoch " << i;
        } else if (key == "thresholds") {
          for (const auto& [label, threshold] : value.items())
            EXPECT_NEAR(lines[i][key][label].get<double>(), threshold.get<double>(), 1e-5);
        } else if (value.is_number_float()) {
          EXPECT_NEAR(lines[i][key].get<double>(), value.get<double>(), 1e-5) << key;
        } else {
          EXPECT_EQ(lines[i][key], value) << key << " of epoch " << i;
        }
      }
    }
    const double off = distance(out, reference);
    EXPECT_LT(off, kWeightTolerance);
    std::printf("%s: losses within %.1e, weights within %.1e\n", out.c_str(), worst, off);
  }

  const test::ScopedFolder folder_;
};

/// What needs a build that can.
class SeveralProcesses : public ProcessesTest {
 protected:
  void SetUp() override {
    if (!ProcessGroup::available()) GTEST_SKIP() << "built without c10d and Gloo";
  }
};

TEST_F(SeveralProcesses, SupervisedTrainingIsThatOfOneProcess) {
  run_one(supervised("one"));
  run_two(supervised("two"), supervised("other"));
  expect_same("two", "one");
  // One writes, whoever was told to.
  EXPECT_FALSE(fs::exists(path("other")));
  EXPECT_TRUE(fs::exists(path("two/best.fer")));
  EXPECT_TRUE(fs::exists(path("two/checkpoint")));
}

TEST_F(SeveralProcesses, SupervisedTrainingInFourProcessesIsThatOfOne) {
  run_one(supervised("one"));
  const int port = test::free_port();
  std::list<Fer> all;
  for (int rank = 0; rank < 4; ++rank) all.emplace_back(supervised("four"), place(rank, 4, port));
  for (const Outcome& outcome : wait(all)) EXPECT_EQ(outcome.code, 0) << outcome.err;
  expect_same("four", "one");
}

TEST_F(SeveralProcesses, SemiSupervisedTrainingIsThatOfOneProcess) {
  // A method that learns from labelled rows, one over the unlabelled ones alone, and a negative
  // policy that looks at the whole batch.
  const std::map<std::string, Words> methods{
      {"dta-snl", {"--method", "dta-snl", "--thresholds", "dta:t-min=0.4"}},
      {"flex", {"--method", "flexmatch", "--thresholds", "flex:tau=0.4"}},
      {"full",
       {"--method", "fixmatch", "--thresholds", "fixed:tau=0.4", "--negatives", "fullmatch"}},
      {"labels", {"--method", "supervised"}}};
  for (const auto& [name, words] : methods) {
    run_one(semi("one-" + name, words));
    run_two(semi("two-" + name, words), semi("other", words));
    expect_same("two-" + name, "one-" + name);
    const json record = json::parse(content(path("two-" + name) + "/run.json"));
    EXPECT_EQ(record["processes"], 2);
    EXPECT_EQ(record["state"], "done");
    EXPECT_FALSE(fs::exists(path("other")));
  }
  // Something was learnt from pseudo-labels, or this compares too little.
  EXPECT_GT(log("one-flex").back()["accept_rate"], 0.1);
  EXPECT_GT(log("one-full").back()["negatives"], 0.1);
}

TEST_F(SeveralProcesses, StopsEverywhereWhenOneIsInterrupted) {
  const Words dta{"--method",   "dta-snl", "--thresholds", "dta:t-min=0.4",
                  "--lambda-x", "0.5",     "--steps",      "24"};
  run_one(semi("one", dta));
  std::list<Fer> both = start(semi("two", dta), semi("two", dta));
  both.front().wait_until([&] { return !log("two").empty(); });
  both.back().signal(SIGINT);
  const auto outcomes = wait(both);
  EXPECT_EQ(outcomes[0].code, 130) << outcomes[0].err;
  EXPECT_EQ(outcomes[1].code, 130) << outcomes[1].err;
  EXPECT_THAT(outcomes[0].out, HasSubstr("the same command goes on"));
  EXPECT_THAT(outcomes[1].out, IsEmpty());
  EXPECT_EQ(json::parse(content(path("two/run.json")))["state"], "stopped");
  // Goes on from what the first has; the second needs no checkpoint.
  run_two(semi("two", dta), semi("elsewhere", dta));
  expect_same("two", "one");
}

TEST_F(SeveralProcesses, GoesOnInAnotherNumberOfProcesses) {
  const Words dta{"--method",   "dta-snl", "--thresholds", "dta:t-min=0.4",
                  "--lambda-x", "0.5",     "--steps",      "24"};
  run_one(semi("one", dta));
  {
    std::list<Fer> both = start(semi("two", dta), semi("two", dta));
    both.front().wait_until([&] { return !log("two").empty(); });
    both.front().signal(SIGTERM);
    wait(both);
  }
  run_one(semi("two", dta));
  expect_same("two", "one");
}

TEST_F(SeveralProcesses, TellsOfOneThatDied) {
  const Words endless{"--method", "dta-snl", "--steps", "100000"};
  std::list<Fer> both = start(semi("two", endless), semi("two", endless));
  both.front().wait_until([&] { return fs::exists(path("two/checkpoint")); });
  both.back().signal(SIGKILL);
  const auto outcomes = wait(both);
  EXPECT_EQ(outcomes[0].code, 1);
  EXPECT_THAT(outcomes[0].err, AllOf(HasSubstr("fer: RANK 0: another process of the run has ended"),
                                     HasSubstr("last checkpoint")));
  // What was kept can be gone on with.
  EXPECT_EQ(fer({"info", path("two/checkpoint")}).code, 0);
  EXPECT_EQ(fer({"info", path("two/last.fer")}).code, 0);
}

TEST_F(SeveralProcesses, DoesNotWaitForeverForOneThatHangs) {
  const Words endless{"--method", "supervised", "--steps", "100000", "--peer-timeout", "5"};
  std::list<Fer> both = start(semi("two", endless), semi("two", endless));
  both.front().wait_until([&] { return fs::exists(path("two/checkpoint")); });
  both.back().signal(SIGSTOP);
  const Outcome first = both.front().wait();
  EXPECT_EQ(first.code, 1);
  EXPECT_THAT(first.err, HasSubstr("did not answer for 5 s"));
}

TEST_F(SeveralProcesses, RefusesWhatDiffers) {
  std::list<Fer> both = start(supervised("two"), supervised("two", {"--seed", "2"}));
  for (const Outcome& outcome : wait(both)) {
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("RANK 1 was started with other options or data"));
  }
  write_packed(path("other.packed"), test::tiny_info(), test::tiny_rows(27));
  Words other = supervised("two");
  std::replace(other.begin(), other.end(), path("tiny.packed"), path("other.packed"));
  both = start(supervised("two"), other);
  for (const Outcome& outcome : wait(both)) {
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("RANK 1 was started with other data"));
  }
  EXPECT_FALSE(fs::exists(path("two/log.jsonl")));
}

TEST_F(SeveralProcesses, RefusesABatchThatCannotBeShared) {
  std::list<Fer> both =
      start(supervised("two", {"--batch", "13"}), supervised("two", {"--batch", "13"}));
  for (const Outcome& outcome : wait(both)) {
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("a batch of 13: expected a multiple of WORLD_SIZE (2)"));
  }
}

TEST_F(SeveralProcesses, DoesNotWaitForeverForAMasterThatIsNotThere) {
  Fer alone(supervised("two", {"--peer-timeout", "2"}), place(1, 2, test::free_port()));
  const Outcome outcome = alone.wait();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("MASTER_ADDR=127.0.0.1"),
                                 HasSubstr("RANK 1 did not meet"), HasSubstr("within 2 s")));
}

TEST_F(ProcessesTest, AreRefusedByABuildWithoutThem) {
  if (ProcessGroup::available()) GTEST_SKIP() << "this one can";
  const Outcome outcome = Fer(supervised("two"), place(0, 2, 29500)).wait();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("WORLD_SIZE=2"), HasSubstr("built without c10d and Gloo")));
}

TEST_F(ProcessesTest, NamesTheVariableThatMakesNoSense) {
  auto variables = place(0, 2, 29500);
  variables["MASTER_ADDR"] = "";
  Outcome outcome = Fer(supervised("two"), variables).wait();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("fer: MASTER_ADDR is not set, though WORLD_SIZE is 2"));
  variables = place(2, 2, 29500);
  outcome = Fer(supervised("two"), variables).wait();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("fer: RANK=2, though WORLD_SIZE is 2: expected"));
}

TEST_F(ProcessesTest, IsRefusedWhereOneProcessDoesItAll) {
  const auto variables = place(0, 2, 29500);
  const std::vector<Words> commands{
      {"pretrain", "--data", path("tiny.packed"), "--out", path("out")},
      {"train", "--task", "detect", "--data", path("tiny.packed"), "--out", path("out")},
      {"sweep", path("tiny.packed"), "--data", path("tiny.packed")}};
  for (const Words& words : commands) {
    const Outcome outcome = Fer(words, variables).wait();
    EXPECT_EQ(outcome.code, 1) << words[0];
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("WORLD_SIZE=2: fer "), HasSubstr("in one process")));
  }
  EXPECT_FALSE(fs::exists(path("out")));
}

}  // namespace
}  // namespace fer
