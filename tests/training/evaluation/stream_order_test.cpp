#include "evaluation/stream_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/tiny_dataset.h"
#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using test::ScopedFolder;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

class StreamOrderTest : public testing::Test {
 protected:
  /// 360 faces of 3 classes; every 12 rows are of one person, the last 60 rows of nobody.
  explicit StreamOrderTest(bool labelled = true) {
    std::vector<PackedRow> rows = test::tiny_rows(72);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].person = i + 60 < rows.size() ? static_cast<std::int64_t>(i / 12) : -1;
      if (!labelled) rows[i].label = -1;
    }
    write_packed(folder_.path() / "data.packed", test::tiny_info(), rows);
    data_ = std::make_unique<PackedDataset>(folder_.path() / "data.packed");
    rows_ = data_->rows("");
  }

  std::vector<std::size_t> ordered(StreamOrder order, std::uint64_t seed = 1) const {
    return in_stream_order(*data_, rows_, order, seed);
  }
  /// How often the key of neighbours differs.
  template <typename Key>
  static int changes(const std::vector<std::size_t>& rows, const Key& key) {
    int count = 0;
    for (std::size_t i = 1; i < rows.size(); ++i) count += key(rows[i]) != key(rows[i - 1]);
    return count;
  }
  int label_changes(const std::vector<std::size_t>& rows) const {
    return changes(rows, [&](std::size_t row) { return data_->label(row); });
  }

  ScopedFolder folder_;
  std::unique_ptr<PackedDataset> data_;
  std::vector<std::size_t> rows_;
};

TEST_F(StreamOrderTest, ShowsEachRowOnceAsTheSeedSays) {
  EXPECT_EQ(ordered(StreamOrder::kFile), rows_);
  for (const StreamOrder order :
       {StreamOrder::kPersons, StreamOrder::kDirichlet, StreamOrder::kClasses}) {
    EXPECT_THAT(ordered(order), UnorderedElementsAreArray(rows_));
    EXPECT_EQ(ordered(order), ordered(order));
    EXPECT_NE(ordered(order, 1), ordered(order, 2));
  }
}

TEST_F(StreamOrderTest, KeepsAPersonTogetherAndItsExpressionsInRuns) {
  std::vector<std::size_t> rows = ordered(StreamOrder::kPersons);
  // Nobody's rows stand anywhere, each for itself.
  std::erase_if(rows, [&](std::size_t row) { return data_->person(row) < 0; });
  const auto persons = static_cast<int>(rows.size() / 12);
  EXPECT_EQ(changes(rows, [&](std::size_t row) { return data_->person(row); }), persons - 1);
  EXPECT_LE(
      changes(rows,
              [&](std::size_t row) { return std::pair(data_->person(row), data_->label(row)); }),
      persons * 3 - 1);
}

TEST_F(StreamOrderTest, SortsByExpression) {
  EXPECT_EQ(label_changes(ordered(StreamOrder::kClasses)), 2);
}

TEST_F(StreamOrderTest, SpreadsExpressionsUnevenly) {
  const int waves = label_changes(ordered(StreamOrder::kDirichlet));
  EXPECT_GT(waves, 2);
  EXPECT_LT(waves, static_cast<int>(rows_.size()) / 2);  // evenly mixed: two thirds
}

class UnlabelledOrderTest : public StreamOrderTest {
 protected:
  UnlabelledOrderTest() : StreamOrderTest(false) {}
};

TEST_F(UnlabelledOrderTest, NeedsLabelsToSortByThem) {
  EXPECT_THAT(ordered(StreamOrder::kPersons), UnorderedElementsAreArray(rows_));
  for (const StreamOrder order : {StreamOrder::kDirichlet, StreamOrder::kClasses})
    EXPECT_THAT(error_of([&] { ordered(order); }), HasSubstr("expected labels"));
}

}  // namespace
}  // namespace fer
