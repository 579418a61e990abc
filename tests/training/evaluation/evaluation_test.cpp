#include "evaluation/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "data/tiny_dataset.h"
#include "error_of.h"
#include "scoped.h"
#include "terminal/interrupt.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::ScopedFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A model that knows the tiny dataset (neutral, happiness, surprise), trained once for all tests.
class EvaluationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScopedFolder;
    classifier_ =
        new auto(Classifier::open(test::train_tiny_model(folder_->path()), Precision::kFp32));
  }
  static void TearDownTestSuite() {
    delete classifier_;
    delete folder_;
  }

  /// Writes a dataset for this test.
  static PackedDataset packed(const PackedInfo& info, const std::vector<PackedRow>& rows) {
    const fs::path path = folder_->path() / "test.packed";
    write_packed(path, info, rows);
    return PackedDataset(path);
  }

  static Evaluation run(const PackedDataset& data, EvalSettings settings = {}) {
    settings.model_name = "tiny.fer";
    settings.data_name = "faces.csv";
    return evaluate(**classifier_, data, settings, [](std::size_t, std::size_t) {});
  }

  static std::string error_of(const PackedDataset& data, const EvalSettings& settings = {}) {
    return test::error_of([&] { run(data, settings); });
  }

  static ScopedFolder* folder_;
  static std::shared_ptr<const Classifier>* classifier_;
};

ScopedFolder* EvaluationTest::folder_;
std::shared_ptr<const Classifier>* EvaluationTest::classifier_;

TEST_F(EvaluationTest, MeasuresASplit) {
  const PackedDataset data = packed(test::tiny_info(), test::tiny_rows(30, 5));
  std::vector<std::size_t> seen;
  EvalSettings settings{.split = "test"};
  settings.model_name = settings.data_name = "x";
  const Evaluation result =
      evaluate(**classifier_, data, settings, [&](std::size_t done, std::size_t all) {
        EXPECT_EQ(all, 30u);
        seen.push_back(done);
      });
  EXPECT_EQ(result.confusion.total(), 30);
  EXPECT_GT(result.confusion.accuracy(), 0.9);
  EXPECT_EQ(result.confusion.labels(), test::tiny_labels());
  EXPECT_FALSE(result.restricted);
  EXPECT_EQ(result.aligned, 0u);
  EXPECT_GT(result.ms_per_face, 0);
  EXPECT_GT(result.cpu_ms_per_face, 0);
  EXPECT_EQ(seen.size(), 30u);
  EXPECT_EQ(run(data).confusion.total(), 150);
}

TEST_F(EvaluationTest, FindsTheSameInBatches) {
  const PackedDataset data = packed(test::tiny_info(), test::tiny_rows(30, 5));
  const Evaluation alone = run(data);
  const Evaluation together = run(data, {.batch = 64});  // of 150: the last one is short
  EXPECT_EQ(together.confusion.to_json(), alone.confusion.to_json());
  EXPECT_EQ(together.ms_per_face, 0);
  EXPECT_EQ(together.cpu_ms_per_face, 0);
}

TEST_F(EvaluationTest, KnowsSplitsByTheirAliases) {
  const PackedDataset data = packed(test::tiny_info(), test::tiny_rows(3));
  EXPECT_EQ(run(data, {.split = "Validation"}).confusion.total(), 3);
  EXPECT_THAT(error_of(data, {.split = "eval"}), HasSubstr("no split \"eval\""));
}

TEST_F(EvaluationTest, LeavesOutDuplicatesAndRowsWithoutALabel) {
  auto rows = test::tiny_rows(10);
  rows[0].duplicate = true;
  rows[1].duplicate = true;
  rows[1].label = -1;
  rows[2].label = -1;
  rows[3].aligned = true;
  const PackedDataset data = packed(test::tiny_info(), rows);
  const auto all = static_cast<std::int64_t>(rows.size());
  const Evaluation result = run(data);
  EXPECT_EQ(result.confusion.total(), all - 3);
  EXPECT_EQ(result.duplicates, 1u);
  EXPECT_EQ(result.unlabelled, 2u);
  EXPECT_EQ(result.aligned, 1u);
  const Evaluation kept = run(data, {.keep_duplicates = true});
  EXPECT_EQ(kept.confusion.total(), all - 2);
  EXPECT_EQ(kept.duplicates, 0u);
}

/// The tiny rows of two of the three classes, as a dataset that has no more, in other words.
std::pair<PackedInfo, std::vector<PackedRow>> two_of_three() {
  PackedInfo info = test::tiny_info();
  info.labels = {"surprised", "calm"};
  std::vector<PackedRow> rows;
  for (PackedRow row : test::tiny_rows(10)) {
    if (row.label == 1) continue;
    row.label = row.label == 2 ? 0 : 1;
    row.votes = {row.label == 0 ? 1.f : 0.f, row.label == 1 ? 1.f : 0.f};
    rows.push_back(std::move(row));
  }
  return {info, rows};
}

TEST_F(EvaluationTest, PredictsAmongTheClassesOfTheData) {
  const auto [info, rows] = two_of_three();
  const Evaluation result = run(packed(info, rows));
  EXPECT_TRUE(result.restricted);
  EXPECT_THAT(result.confusion.labels(), ElementsAre("surprise", "neutral"));
  EXPECT_GT(result.confusion.accuracy(), 0.9);

  // Crops of the class that the data lacks must still go to one of the two.
  auto strange = rows;
  Random random(3);
  for (PackedRow& row : strange) row.crop = test::tiny_crop(1, 3, random);
  EXPECT_EQ(run(packed(info, strange)).confusion.total(),
            static_cast<std::int64_t>(strange.size()));
}

TEST_F(EvaluationTest, RestrictsToTheClassesThatAreAskedFor) {
  const auto rows = test::tiny_rows(10);
  const PackedDataset data = packed(test::tiny_info(), rows);
  const Evaluation result = run(data, {.classes = {"surprised", "neutral", "surprise"}});
  EXPECT_TRUE(result.restricted);
  EXPECT_THAT(result.confusion.labels(), ElementsAre("surprise", "neutral"));
  EXPECT_EQ(result.other_classes, rows.size() / 3);
  EXPECT_EQ(result.confusion.total(), static_cast<std::int64_t>(rows.size() / 3 * 2));
  EXPECT_GT(result.confusion.accuracy(), 0.9);
}

TEST_F(EvaluationTest, MayChooseAmongClassesThatTheDataLacks) {
  const auto [info, rows] = two_of_three();
  const Evaluation result = run(packed(info, rows), {.classes = test::tiny_labels()});
  EXPECT_FALSE(result.restricted);
  EXPECT_EQ(result.confusion.total(), static_cast<std::int64_t>(rows.size()));
  EXPECT_GT(result.confusion.accuracy(), 0.9);
}

TEST_F(EvaluationTest, NamesClassesThatTheModelDoesNotKnow) {
  PackedInfo info = test::tiny_info();
  info.labels = {"neutral", "happiness", "surprise", "fear"};
  auto rows = test::tiny_rows(3);
  for (PackedRow& row : rows) row.votes.push_back(0);
  // A column that no row uses asks nothing of the model.
  EXPECT_FALSE(run(packed(info, rows)).restricted);
  rows[0].label = 3;
  const PackedDataset data = packed(info, rows);
  EXPECT_THAT(error_of(data),
              AllOf(HasSubstr("tiny.fer: "), HasSubstr("knows \"fear\""),
                    HasSubstr("neutral,happiness,surprise"), HasSubstr("--classes")));
  EXPECT_THAT(error_of(data, {.classes = {"neutral", "contempt"}}), HasSubstr("\"contempt\""));
  EXPECT_EQ(run(data, {.classes = {"neutral", "happiness"}}).other_classes, 1 + rows.size() / 3);
}

TEST_F(EvaluationTest, NamesDataThatCannotBeMeasured) {
  auto rows = test::tiny_rows(3);
  for (PackedRow& row : rows) row.label = -1;
  EXPECT_THAT(error_of(packed(test::tiny_info(), rows)),
              HasSubstr("faces.csv: no labelled row is left"));
  EXPECT_THAT(error_of(packed(test::tiny_info(), test::tiny_rows(3)), {.classes = {"neutral"}}),
              AllOf(HasSubstr("at least two classes"), HasSubstr("\"neutral\"")));
}

TEST_F(EvaluationTest, NamesACropShapeThatDoesNotFit) {
  PackedInfo info = test::tiny_info();
  info.crops.align_template = "arcface";
  EXPECT_THAT(error_of(packed(info, test::tiny_rows(3))),
              AllOf(HasSubstr("tiny.fer: "), HasSubstr("grey crops of 16 x 16 px"),
                    HasSubstr("\"fer\""), HasSubstr("faces.csv holds"), HasSubstr("\"arcface\"")));
  info = test::tiny_info();
  info.crops.channels = 3;
  auto rows = test::tiny_rows(3);
  for (PackedRow& row : rows) row.crop.resize(3 * row.crop.size());
  EXPECT_THAT(error_of(packed(info, rows)), HasSubstr("RGB crops of 16 x 16 px"));
}

TEST_F(EvaluationTest, DividesByThePriorWhereThatIsAskedFor) {
  // A model of a world where nearly everything is neutral.
  auto rows = test::tiny_rows(60);
  int rare = 0;
  std::erase_if(rows, [&](const PackedRow& row) {
    return row.split == 0 && row.label != 0 && ++rare % 5 != 0;
  });
  const fs::path out = folder_->path() / "skewed";
  const PackedDataset skewed = packed(test::tiny_info(), rows);
  const std::atomic<bool> stop{false};
  TrainConfig config = test::tiny_train_config();
  config.epochs = 1;
  train(
      skewed, config, out, [](const TrainProgress&) {}, [](const nlohmann::json&) {}, stop);
  const auto classifier = Classifier::open(out / "last.fer", Precision::kFp32);
  ASSERT_GT(classifier->info().prior[0], 0.6f);

  // On noise, the prior decides much.
  Random random(9);
  auto noise = test::tiny_rows(30);
  for (PackedRow& row : noise)
    for (auto& pixel : row.crop) pixel = static_cast<std::uint8_t>(random.below(256));
  const PackedDataset data = packed(test::tiny_info(), noise);
  std::vector<std::int64_t> neutral;
  for (const double correction : {0.0, 1.0, 4.0}) {
    EvalSettings settings{.prior_correction = correction};
    const Evaluation result =
        evaluate(*classifier, data, settings, [](std::size_t, std::size_t) {});
    Confusion expected(test::tiny_labels());
    neutral.push_back(0);
    for (std::size_t i = 0; i < data.size(); ++i) {
      auto p = classifier->logits(data.crop(i));
      to_probabilities(p, classifier->info(), correction);
      const auto best = static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
      expected.add(data.label(i), best);
      neutral.back() += best == 0;
    }
    EXPECT_EQ(result.confusion.to_json(), expected.to_json());
  }
  EXPECT_GT(neutral[0], neutral[2]);
}

TEST_F(EvaluationTest, KeepsWhatWasSaidOfEachFace) {
  auto rows = test::tiny_rows(6, 5);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].image = std::to_string(i) + ".png";
    rows[i].person = i % 4 == 0 ? -1 : static_cast<std::int64_t>(i % 4);
  }
  rows[0].label = -1;
  const PackedDataset data = packed(test::tiny_info(), rows);
  const Evaluation result = run(data);
  const Predictions& p = result.predictions;
  ASSERT_EQ(p.size(), rows.size() - 1);
  EXPECT_EQ(result.rows.front(), 1u);
  EXPECT_EQ(p.images.front(), "1.png");
  EXPECT_EQ(p.persons.front(), "1");
  EXPECT_EQ(p.persons[3], "") << "of row 4";
  EXPECT_EQ(p.classes, test::tiny_labels());
  auto expected = (*classifier_)->logits(data.crop(5));
  to_probabilities(expected, (*classifier_)->info(), 0);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(p.row(4)[k], expected[k], 1e-6);
  EXPECT_EQ(confusion_of(p).to_json(), result.confusion.to_json());

  const Evaluation two = run(data, {.classes = {"surprise", "neutral"}});
  EXPECT_EQ(two.predictions.classes, (std::vector<std::string>{"surprise", "neutral"}));
  for (std::size_t i = 0; i < two.predictions.size(); ++i)
    EXPECT_NEAR(two.predictions.row(i)[0] + two.predictions.row(i)[1], 1, 1e-6);
  const auto& prior = (*classifier_)->info().prior;
  EXPECT_EQ(two.predictions.prior, (std::vector<float>{prior[2], prior[0]}));
}

TEST_F(EvaluationTest, StopsWhenAskedTo) {
  const PackedDataset data = packed(test::tiny_info(), test::tiny_rows(3));
  stop_requested = true;
  EXPECT_THROW(run(data), Interrupted);
  stop_requested = false;
}

}  // namespace
}  // namespace fer
