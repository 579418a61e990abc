#include "evaluation/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/tiny_dataset.h"
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

class Groups : public testing::Test {
 protected:
  /// A dataset with these names of images and ages.
  PackedDataset packed(const std::vector<std::string>& images,
                       const std::vector<std::string>& ages) const {
    PackedInfo info = test::tiny_info();
    info.columns = {"camera", "age"};
    auto rows = test::tiny_rows(3);
    rows.resize(images.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].image = images[i];
      rows[i].columns = {"left", ages[i]};
    }
    const auto path = folder_.path() / "grouped.packed";
    write_packed(path, info, rows);
    return PackedDataset(path);
  }

  const test::ScopedFolder folder_;
};

TEST_F(Groups, AreTheValuesOfAColumn) {
  const PackedDataset data = packed({"a.png", "b.png", "c.png"}, {"31", "", "7"});
  EXPECT_THAT(groups_of(data, {2, 0, 1}, {.column = "age"}), ElementsAre("7", "31", ""));
  EXPECT_THAT(error_of([&] { groups_of(data, {0}, {.column = "sex"}); }),
              AllOf(HasSubstr("grouped.packed"), HasSubstr("\"sex\""), HasSubstr("\"age\""),
                    HasSubstr("fer pack --columns sex")));
}

TEST_F(Groups, ArePartsOfNames) {
  const PackedDataset data =
      packed({"part1/26_1_0_2017.jpg", "9_0_3_2017.jpg.chip.jpg", "plain.png"}, {"", "", ""});
  EXPECT_THAT(groups_of(data, {0, 1}, {.name_field = 1}), ElementsAre("26", "9"));
  EXPECT_THAT(groups_of(data, {0, 1}, {.name_field = 2}), ElementsAre("1", "0"));
  EXPECT_THAT(groups_of(data, {0, 1}, {.name_field = 3}), ElementsAre("0", "3"));
  EXPECT_THAT(groups_of(data, {2}, {.name_field = 1}), ElementsAre("plain"));
  EXPECT_THAT(error_of([&] {
                groups_of(data, {0, 2}, {.name_field = 2});
              }),
              AllOf(HasSubstr("\"plain.png\""), HasSubstr("at least 2 parts")));
  const PackedDataset nameless = packed({"", "", ""}, {"", "", ""});
  EXPECT_THAT(error_of([&] { groups_of(nameless, {0}, {.name_field = 1}); }),
              HasSubstr("does not carry the names"));
}

TEST_F(Groups, AreRangesBetweenEdges) {
  const PackedDataset data = packed({"a", "b", "c", "d"}, {"17.5", "18", "64", ""});
  const Grouping grouping{.column = "age", .edges = {18, 60}};
  EXPECT_THAT(groups_of(data, {0, 1, 2, 3}, grouping),
              ElementsAre("below 18", "18 to below 60", "60 and above", ""));
  const PackedDataset words = packed({"a.png"}, {"old"});
  EXPECT_THAT(error_of([&] { groups_of(words, {0}, grouping); }),
              AllOf(HasSubstr("\"a.png\""), HasSubstr("a number as age"), HasSubstr("\"old\"")));
}

/// Faces of class 0; each is predicted rightly or not.
Predictions answers(const std::vector<bool>& right) {
  std::vector<test::DrawnFace> faces;
  for (const bool r : right) faces.push_back({0, {r ? 1.f : 0.f, r ? 0.f : 1.f}});
  return drawn_predictions({"neutral", "fear"}, faces);
}

TEST_F(Groups, AreMeasuredEachByItselfAndAgainstTheRest) {
  const Predictions p = answers({true, false, true, true, true, false});
  const std::vector<std::string> groups{"9", "9", "10", "10", "10", ""};
  const auto measured =
      measure_groups(p, groups, {.column = "age"}, clusters_by_image(p), {.resamples = 200});
  ASSERT_EQ(measured.size(), 2u);
  EXPECT_EQ(measured[0].group, "9") << "numbers by size, not by their first digit";
  EXPECT_EQ(measured[0].measures.faces, 2u);
  EXPECT_DOUBLE_EQ(measured[0].measures.accuracy.value, 0.5);
  EXPECT_DOUBLE_EQ(measured[0].to_rest.accuracy.value, -0.5) << "the face without a group is out";
  EXPECT_EQ(measured[1].group, "10");
  EXPECT_EQ(measured[1].measures.faces, 3u);
  EXPECT_DOUBLE_EQ(measured[1].measures.accuracy.value, 1);
  EXPECT_DOUBLE_EQ(measured[1].to_rest.accuracy.value, 0.5);
  EXPECT_TRUE(measured[0].measures.accuracy.interval.known());
}

TEST_F(Groups, KeepTheOrderOfTheirEdges) {
  const Predictions p = answers({true, true, false});
  const Grouping grouping{.column = "age", .edges = {5, 40}};
  const auto measured = measure_groups(p, {"40 and above", "below 5", "below 5"}, grouping,
                                       clusters_by_image(p), {.resamples = 0});
  ASSERT_EQ(measured.size(), 2u) << "a range without faces is left out";
  EXPECT_EQ(measured[0].group, "below 5");
  EXPECT_EQ(measured[1].group, "40 and above");
}

TEST_F(Groups, OfTooManyValuesOrNoneAreRefused) {
  std::vector<bool> right(60, true);
  std::vector<std::string> groups;
  for (int i = 0; i < 60; ++i) groups.push_back(std::to_string(i));
  const Predictions p = answers(right);
  const auto complaint = [&] {
    return error_of([&] {
      measure_groups(p, groups, {.column = "age"}, clusters_by_image(p), {.resamples = 0});
    });
  };
  EXPECT_THAT(complaint(), AllOf(HasSubstr("60 different values"), HasSubstr("--group-edges")));
  groups.assign(60, "");
  EXPECT_THAT(complaint(), HasSubstr("no face that was evaluated has a value of age"));
}

}  // namespace
}  // namespace fer
