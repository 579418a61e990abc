#include "sweep/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kExperiment = R"({
  "about": "A trial.",
  "budget": {"steps": 30, "network": "fernet-small", "fp32": true, "fewer-labels": false},
  "methods": {"dta-snl": {"method": "dta-snl"},
              "no-attention": {"method": "dta-snl", "attention-branches": 0}},
  "labels_per_class": [25, 0],
  "seeds": [1, 2, 3]
})";

TEST(Experiment, MakesARunOfEachCellAndSeed) {
  const ScopedFolder folder;
  const Experiment experiment = read_experiment(folder.write("e9.json", kExperiment));
  EXPECT_EQ(experiment.name, "e9");
  EXPECT_EQ(experiment.about, "A trial.");
  ASSERT_THAT(experiment.runs, SizeIs(2 * 2 * 3));
  const ExperimentRun& first = experiment.runs.front();
  EXPECT_EQ(first.name, "dta-snl-25-seed1");
  EXPECT_EQ(first.method, "dta-snl");
  EXPECT_EQ(first.labels_per_class, 25);
  EXPECT_THAT(first.options,
              ElementsAre("--steps", "30", "--network", "fernet-small", "--fp32", "--method",
                          "dta-snl", "--labels-per-class", "25", "--seed", "1"));
  const ExperimentRun& last = experiment.runs.back();
  EXPECT_EQ(last.name, "no-attention-all-seed3");
  EXPECT_THAT(last.options,
              ElementsAre("--steps", "30", "--network", "fernet-small", "--fp32", "--method",
                          "dta-snl", "--attention-branches", "0", "--seed", "3"));
}

TEST(Experiment, MakesARunOfEachPool) {
  const ScopedFolder folder;
  const Experiment experiment = read_experiment(folder.write("e7.json", R"({
    "budget": {"steps": 30},
    "methods": {"dta": {"method": "dta"}},
    "pools": {"wild": {"unlabeled": "w.packed", "only-unlabeled": true}, "odd": {}},
    "labels_per_class": [25, 100],
    "seeds": [1]
  })"));
  ASSERT_THAT(experiment.runs, SizeIs(2 * 2));
  const ExperimentRun& first = experiment.runs.front();
  EXPECT_EQ(first.name, "dta-wild-25-seed1");
  EXPECT_EQ(first.pool, "wild");
  EXPECT_THAT(first.options,
              ElementsAre("--steps", "30", "--method", "dta", "--labels-per-class", "25",
                          "--unlabeled", "w.packed", "--only-unlabeled", "--seed", "1"));
  EXPECT_EQ(experiment.runs.back().name, "dta-odd-100-seed1");
  EXPECT_EQ(experiment.runs.back().pool, "odd");
}

TEST(Experiment, MakesARunOfEachOrderOfAStream) {
  const ScopedFolder folder;
  const Experiment experiment = read_experiment(folder.write("e8.json", R"({
    "command": "adapt",
    "budget": {"split": "stream"},
    "methods": {"ours": {}, "bare": {"without": ["canary", "pull"]}},
    "orders": ["persons", "classes"],
    "seeds": [1, 2]
  })"));
  EXPECT_EQ(experiment.command, ExperimentCommand::kAdapt);
  ASSERT_THAT(experiment.runs, SizeIs(2 * 2 * 2));
  const ExperimentRun& last = experiment.runs.back();
  EXPECT_EQ(last.name, "bare-classes-seed2");
  EXPECT_EQ(last.order, "classes");
  EXPECT_THAT(last.options,
              ElementsAre("--split", "stream", "--without", "canary", "--without", "pull",
                          "--order", "classes", "--seed", "2", "--order-seed", "2"));
}

TEST(Experiment, ReadsEveryFileThatIsShipped) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(EXPERIMENTS)) {
    if (entry.path().extension() != ".json") continue;
    EXPECT_THAT(read_experiment(entry.path()).runs, testing::Not(testing::IsEmpty()));
    ++files;
  }
  EXPECT_GE(files, 5u);
}

TEST(Experiment, NamesFileAndMemberOfWhatIsWrong) {
  const ScopedFolder folder;
  const auto complaint = [&](const std::string& from, const std::string& to) {
    std::string text = kExperiment;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return error_of([&] { read_experiment(folder.write("e9.json", text)); });
  };
  const std::string path = (folder.path() / "e9.json").string();
  EXPECT_THAT(complaint("30", "}"), AllOf(HasSubstr(path), HasSubstr("expected JSON")));
  EXPECT_THAT(complaint("\"seeds\"", "\"sedes\""), AllOf(HasSubstr(path), HasSubstr("sedes")));
  EXPECT_THAT(complaint("[1, 2, 3]", "[]"), HasSubstr("\"seeds\""));
  EXPECT_THAT(complaint("[25, 0]", "[25, -1]"), HasSubstr("\"labels_per_class\""));
  EXPECT_THAT(complaint("[25, 0]", "\"25\""), HasSubstr("\"labels_per_class\""));
  EXPECT_THAT(complaint("30", "[{}]"), AllOf(HasSubstr("\"budget\""), HasSubstr("steps")));
  EXPECT_THAT(complaint("\"about\": \"A trial.\"", "\"command\": \"dance\""), HasSubstr("dance"));
  EXPECT_THAT(complaint("\"about\": \"A trial.\"", "\"orders\": [\"file\"]"), HasSubstr("orders"));
  EXPECT_THAT(complaint("\"A trial.\"", "5"), AllOf(HasSubstr(path), HasSubstr("\"about\" to be")));
  EXPECT_THAT(complaint("\"about\": \"A trial.\"", "\"command\": 5"),
              AllOf(HasSubstr(path), HasSubstr("\"command\" to be")));
  EXPECT_THAT(complaint("[1, 2, 3]", "[1, 2, 1]"),
              AllOf(HasSubstr("\"seeds\""), HasSubstr("twice")));
  EXPECT_THAT(complaint("[25, 0]", "[25, 25]"), HasSubstr("twice"));
  EXPECT_THAT(complaint("no-attention", "../away"), HasSubstr("../away"));
  EXPECT_THAT(error_of([&] { read_experiment(folder.write("e9.json", "[]")); }),
              HasSubstr("found array"));
  EXPECT_THAT(error_of([&] { read_experiment(folder.path() / "none.json"); }),
              HasSubstr("none.json"));
}

}  // namespace
}  // namespace fer
