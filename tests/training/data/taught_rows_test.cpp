#include "data/taught_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "error_of.h"
#include "model/labels.h"
#include "scoped.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

using testing::HasSubstr;

class TaughtFaces : public testing::Test {
 protected:
  /// Four faces: labelled, not labelled, a duplicate, and one of another split.
  void write_data(int side = 24, std::vector<std::string> splits = {"stream", "eval"}) {
    PackedInfo info;
    info.crops.side = side;
    info.labels = ferplus_labels();
    info.splits = std::move(splits);
    std::vector<PackedRow> rows(4);
    for (unsigned i = 0; i < 4; ++i) {
      rows[i].crop = test::random_bytes(static_cast<std::size_t>(side * side), i + 1);
      rows[i].votes.assign(info.labels.size(), 0.f);
      rows[i].person = i + 10;
    }
    rows[0].label = 3;
    rows[0].votes[3] = 1;
    rows[2].duplicate = true;
    rows[3].split = 1;
    write_packed(folder_.path() / "data", info, rows);
    data_ = std::make_unique<PackedDataset>(folder_.path() / "data");
  }

  std::shared_ptr<const Classifier> teacher(int label, double share) {
    const auto path = folder_.path() / ("teacher" + std::to_string(label));
    test::write_constant_model(path, label, share);
    return Classifier::open(path, Precision::kFp32);
  }

  const test::ScopedFolder folder_;
  std::unique_ptr<PackedDataset> data_;
  PackedInfo info_;
};

TEST_F(TaughtFaces, HaveTheTeachersMeanProbabilityAsVotesAndNoMajorityLabel) {
  write_data();
  const auto rows = teach_rows(*data_, {}, {teacher(1, 0.9), teacher(5, 0.5)}, info_);
  ASSERT_EQ(rows.size(), 3u);  // All but the duplicate.
  for (const PackedRow& row : rows) {
    EXPECT_EQ(row.label, -1);
    EXPECT_EQ(info_.splits.at(row.split), "train");
    EXPECT_NEAR(std::accumulate(row.votes.begin(), row.votes.end(), 0.f), 10, 1e-3);
    // Of 1: (0.9 + 0.5/7)/2, of 5: (0.1/7 + 0.5)/2.
    EXPECT_NEAR(row.votes[1], 4.857, 1e-2);
    EXPECT_NEAR(row.votes[5], 2.571, 1e-2);
  }
  EXPECT_EQ(rows[1].person, 11);
  EXPECT_EQ(rows[1].crop, test::random_bytes(24 * 24, 2));
}

TEST_F(TaughtFaces, AreThoseOfTheSplitAndWithoutALabelWhereAskedFor) {
  write_data();
  EXPECT_EQ(teach_rows(*data_, {.split = "eval"}, {teacher(1, 0.9)}, info_).size(), 1u);
  EXPECT_EQ(teach_rows(*data_, {.unlabelled_only = true}, {teacher(1, 0.9)}, info_).size(), 2u);
}

TEST_F(TaughtFaces, JoinDataThatHasASplitTrain) {
  write_data(24, {"valid", "train"});
  const auto rows = teach_rows(*data_, {}, {teacher(1, 0.9)}, info_);
  EXPECT_EQ(info_.splits, (std::vector<std::string>{"valid", "train"}));
  EXPECT_EQ(rows.front().split, 1);
}

TEST_F(TaughtFaces, AreRefusedWhereTheTeacherSeesOtherCrops) {
  write_data(20);
  EXPECT_THAT(test::error_of([&] { teach_rows(*data_, {}, {teacher(1, 0.9)}, info_); }),
              HasSubstr("24 px"));
}

TEST_F(TaughtFaces, AreNotThoseThatSelectAndTestUnlessTheyAreNamed) {
  write_data(24, {"valid", "train"});
  EXPECT_EQ(teach_rows(*data_, {}, {teacher(1, 0.9)}, info_).size(), 1u);
  EXPECT_EQ(teach_rows(*data_, {.split = "valid"}, {teacher(1, 0.9)}, info_).size(), 2u);
}

TEST_F(TaughtFaces, OfASplitThatIsNotThereAreAnError) {
  write_data();
  EXPECT_THAT(test::error_of([&] { teach_rows(*data_, {.split = "gone"}, {}, info_); }),
              HasSubstr("gone"));
}

}  // namespace
}  // namespace fer
