#include "evaluation/prediction_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "error_of.h"
#include "scoped.h"
#include "training/evaluation/drawn_predictions.h"

namespace fer {
namespace {

using test::drawn_predictions;
using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PredictionCsv : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "said.csv"; }
  std::string content() const {
    std::ifstream in(path());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string complaint(const std::string& text) const {
    folder_.write("said.csv", text);
    return error_of([&] { read_predictions(path()); });
  }

  const test::ScopedFolder folder_;
};

TEST_F(PredictionCsv, HasARowPerFace) {
  Predictions p =
      drawn_predictions({"neutral", "fear"}, {{0, {0.75f, 0.25f}, "3"}, {1, {0.5f, 0.5f}}});
  p.images = {"a/one.png", "two, \"the\" second.png"};
  write_predictions(path(), p);
  EXPECT_EQ(content(),
            "image,truth,neutral,fear,predicted,person\n"
            "a/one.png,neutral,0.75,0.25,neutral,3\n"
            "\"two, \"\"the\"\" second.png\",fear,0.5,0.5,neutral,\n");
  p.persons = {"", ""};
  write_predictions(path(), p);
  EXPECT_THAT(content(), testing::StartsWith("image,truth,neutral,fear,predicted\na/one.png,"));
}

TEST_F(PredictionCsv, ComesBackAsItWasWritten) {
  Predictions p = drawn_predictions(
      {"neutral", "fear", "anger"},
      {{0, {0.1f, 0.2f, 0.7f}, "ann"}, {2, {1e-30f, 1 / 3.f, 2 / 3.f}}, {1, {0, 1, 0}, "bob"}});
  p.images[1] = "line\nbreak.png";
  write_predictions(path(), p);
  const Predictions read = read_predictions(path());
  EXPECT_EQ(read.classes, p.classes);
  EXPECT_EQ(read.images, p.images);
  EXPECT_EQ(read.truth, p.truth);
  EXPECT_EQ(read.persons, p.persons);
  for (std::size_t i = 0; i < p.probabilities.size(); ++i)
    EXPECT_NEAR(read.probabilities[i], p.probabilities[i], 1e-7) << i;
}

TEST_F(PredictionCsv, TakesAliasesAndColumnsOfOtherPrograms) {
  folder_.write("said.csv", "Truth,happy,score,Image,sad\nhappiness,0.9,x,one.png,0.1\n");
  const Predictions read = read_predictions(path());
  EXPECT_THAT(read.classes, ElementsAre("happy", "sad"));
  EXPECT_THAT(read.images, ElementsAre("one.png"));
  EXPECT_THAT(read.truth, ElementsAre(0));
}

TEST_F(PredictionCsv, IsWholeOrNotThere) {
  Predictions p = drawn_predictions({"neutral", "fear"}, {{0, {1, 0}}, {1, {0, 1}}});
  write_predictions(path(), p);
  const std::string before = content();
  p.images[1].clear();
  EXPECT_THAT(error_of([&] { write_predictions(path(), p); }),
              AllOf(HasSubstr("said.csv"), HasSubstr("pack them anew")));
  EXPECT_EQ(content(), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(PredictionCsv, OfAnotherFormIsRefused) {
  EXPECT_THAT(complaint("image,neutral,fear\na,1,0\n"),
              AllOf(HasSubstr("line 1"), HasSubstr("\"truth\"")));
  EXPECT_THAT(complaint("image,truth,fear\na,fear,1\n"), HasSubstr("at least two expressions"));
  EXPECT_THAT(complaint("image,truth,neutral,fear\na,anger,1,0\n"),
              AllOf(HasSubstr("line 2"), HasSubstr("\"anger\"")));
  EXPECT_THAT(complaint("image,truth,neutral,fear\na,fear,1,nan\n"), HasSubstr("\"nan\""));
  EXPECT_THAT(complaint("image,truth,neutral,fear\na,fear,1.5,0\n"), HasSubstr("\"1.5\""));
  EXPECT_THAT(complaint("image,truth,neutral,fear\na,fear,0,0\n"), HasSubstr("zeros alone"));
  EXPECT_THAT(complaint("image,truth,neutral,fear\na,fear,1\n"), HasSubstr("expected 4 fields"));
  EXPECT_THAT(complaint("image,truth,neutral,fear\n"), HasSubstr("expected rows"));
}

class MatchedPredictions : public testing::Test {
 protected:
  std::string complaint(const Predictions& other) const {
    return error_of([&] { matched(other, "other.csv", ours_, "fernet.fer"); });
  }

  Predictions ours_ =
      drawn_predictions({"neutral", "happiness"}, {{0, {0.6f, 0.4f}, "ann"}, {1, {0.3f, 0.7f}}});
};

TEST_F(MatchedPredictions, ComeInTheOrderOfTheOthers) {
  Predictions other =
      drawn_predictions({"happy", "neutral"}, {{0, {0.9f, 0.1f}}, {1, {0.8f, 0.2f}}});
  other.images = {"1.png", "0.png"};
  const Predictions same = matched(other, "other.csv", ours_, "fernet.fer");
  EXPECT_EQ(same.classes, ours_.classes);
  EXPECT_EQ(same.truth, ours_.truth);
  EXPECT_EQ(same.images, ours_.images);
  EXPECT_EQ(same.persons, ours_.persons);
  EXPECT_NEAR(same.row(0)[0], 0.2f, 1e-6);
  EXPECT_NEAR(same.row(1)[1], 0.9f, 1e-6);
}

TEST_F(MatchedPredictions, AreAboutTheSameFaces) {
  Predictions other = ours_;
  other.images[1] = "9.png";
  EXPECT_THAT(complaint(other), AllOf(HasSubstr("other.csv"), HasSubstr("fernet.fer"),
                                      HasSubstr("no row of the image \"1.png\"")));
  other = ours_;
  other.truth[1] = 0;
  EXPECT_THAT(complaint(other), HasSubstr("labelled \"neutral\" there, and \"happiness\" here"));
  other = ours_;
  other.images[1] = "0.png";
  EXPECT_THAT(complaint(other), HasSubstr("\"0.png\" twice"));
  other = ours_;
  other.add("2.png", 0, std::vector<float>{1, 0}, "");
  EXPECT_THAT(complaint(other), HasSubstr("it has 3 faces, expected 2"));
  other = drawn_predictions({"neutral", "fear"}, {{0, {1, 0}}, {1, {0, 1}}});
  EXPECT_THAT(complaint(other), HasSubstr("no column for the class \"happiness\""));
  other = drawn_predictions({"neutral", "happiness", "fear"}, {{0, {1, 0, 0}}, {1, {0, 1, 0}}});
  EXPECT_THAT(complaint(other), AllOf(HasSubstr("fear"), HasSubstr("--classes")));
  ours_.images[0].clear();
  EXPECT_THAT(complaint(ours_), HasSubstr("does not carry the names"));
}

}  // namespace
}  // namespace fer
