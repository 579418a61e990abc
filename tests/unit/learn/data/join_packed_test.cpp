#include "learn/data/join_packed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/tiny_dataset.h"
#include "learn/data/packed_dataset.h"
#include "scoped.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::ElementsAreArray;
using testing::HasSubstr;

class JoinPackedTest : public testing::Test {
 protected:
  /// A packed dataset of the tiny faces, changed by `change`.
  template <typename Change>
  std::filesystem::path part(const std::string& name, const Change& change) const {
    PackedInfo info = test::tiny_info();
    std::vector<PackedRow> rows = test::tiny_rows(4);
    change(info, rows);
    write_packed(folder_.path() / name, info, rows);
    return folder_.path() / name;
  }
  std::filesystem::path part(const std::string& name) const {
    return part(name, [](PackedInfo&, std::vector<PackedRow>&) {});
  }
  std::string refusal(const std::filesystem::path& a, const std::filesystem::path& b) const {
    try {
      join_packed({a, b}, out_);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "none";
  }

  const test::ScopedFolder folder_;
  const std::filesystem::path out_ = folder_.path() / "joined";
};

TEST_F(JoinPackedTest, KeepsTheRowsOfAll) {
  const auto a = part("a");
  const auto b = part("b", [](PackedInfo& info, std::vector<PackedRow>& rows) {
    info.source = "elsewhere";
    for (PackedRow& row : rows) {
      row.aligned = true;
      for (std::uint8_t& pixel : row.crop) pixel = static_cast<std::uint8_t>(255 - pixel);
    }
    rows[0].duplicate = true;
  });
  const PackedDataset first(a), second(b);
  EXPECT_EQ(join_packed({a, b}, out_), first.size() + second.size());
  const PackedDataset joined(out_);
  ASSERT_EQ(joined.size(), first.size() + second.size());
  EXPECT_EQ(joined.info().labels, first.info().labels);
  EXPECT_THAT(joined.info().source, HasSubstr(" + elsewhere"));
  for (std::size_t i = 0; i < joined.size(); ++i) {
    const PackedDataset& from = i < first.size() ? first : second;
    const std::size_t row = i < first.size() ? i : i - first.size();
    EXPECT_THAT(joined.crop(i), ElementsAreArray(from.crop(row)));
    EXPECT_THAT(joined.votes(i), ElementsAreArray(from.votes(row)));
    EXPECT_EQ(joined.label(i), from.label(row));
    EXPECT_EQ(joined.split(i), from.split(row));
    EXPECT_EQ(joined.duplicate(i), from.duplicate(row));
    EXPECT_EQ(joined.aligned(i), from.aligned(row));
  }
}

TEST_F(JoinPackedTest, MatchesLabelsByName) {
  const auto a = part("a");
  const auto b = part("b", [](PackedInfo& info, std::vector<PackedRow>& rows) {
    std::swap(info.labels[0], info.labels[1]);
    for (PackedRow& row : rows) {
      std::swap(row.votes[0], row.votes[1]);
      if (row.label == 0 || row.label == 1) row.label = 1 - row.label;
    }
  });
  join_packed({a, b}, out_);
  const PackedDataset joined(out_);
  const std::size_t half = joined.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    EXPECT_EQ(joined.label(i), joined.label(half + i));
    EXPECT_THAT(joined.votes(half + i), ElementsAreArray(joined.votes(i)));
  }
}

TEST_F(JoinPackedTest, PersonsOfTwoPartsAreTwo) {
  const auto with_persons = [](PackedInfo&, std::vector<PackedRow>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].person = i == 0 ? -1 : i % 3;
  };
  const auto a = part("a", with_persons), b = part("b", with_persons);
  join_packed({a, b}, out_);
  const PackedDataset joined(out_);
  const std::size_t half = joined.size() / 2;
  EXPECT_EQ(joined.person(0), -1);
  EXPECT_EQ(joined.person(half), -1);
  for (std::size_t i = 1; i < half; ++i) EXPECT_EQ(joined.person(half + i), joined.person(i) + 3);
}

TEST_F(JoinPackedTest, KeepsNamesAndTheColumnsThatAllPartsHave) {
  const auto a = part("a", [](PackedInfo& info, std::vector<PackedRow>& rows) {
    info.columns = {"age", "camera"};
    for (PackedRow& row : rows) row.columns = {"30", "left"};
    rows[0].image = "one.png";
  });
  const auto b = part("b", [](PackedInfo& info, std::vector<PackedRow>& rows) {
    info.columns = {"camera"};
    for (PackedRow& row : rows) row.columns = {"right"};
  });
  join_packed({a, b}, out_);
  const PackedDataset joined(out_);
  ASSERT_EQ(joined.info().columns, std::vector<std::string>{"camera"});
  EXPECT_EQ(joined.text(0, 0), "left");
  EXPECT_EQ(joined.text(0, joined.size() - 1), "right");
  EXPECT_EQ(joined.image(0), "one.png");
  EXPECT_EQ(joined.image(1), "");
}

TEST_F(JoinPackedTest, RefusesWhatDoesNotFit) {
  const auto a = part("a");
  EXPECT_THAT(
      refusal(a, part("labels", [](PackedInfo& info,
                                   std::vector<PackedRow>&) { info.labels[0] = "boredom"; })),
      AllOf(HasSubstr("labels"), HasSubstr("boredom")));
  EXPECT_THAT(refusal(a, part("splits", [](PackedInfo& info,
                                           std::vector<PackedRow>&) { info.splits[0] = "rest"; })),
              AllOf(HasSubstr("splits"), HasSubstr("\"rest\"")));
  EXPECT_THAT(refusal(a, part("template",
                              [](PackedInfo& info, std::vector<PackedRow>&) {
                                info.crops.align_template = "arcface";
                              })),
              AllOf(HasSubstr("template"), HasSubstr("arcface")));
  EXPECT_THAT(refusal(a, folder_.path() / "none"), HasSubstr("none"));
  EXPECT_FALSE(std::filesystem::exists(out_));
}

}  // namespace
}  // namespace fer
