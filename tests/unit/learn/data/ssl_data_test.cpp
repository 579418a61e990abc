#include "learn/data/ssl_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "data/tiny_dataset.h"
#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// 20 rows of each of three classes in split train, 7 in valid and test.
class SslDataTest : public testing::Test {
 protected:
  const PackedDataset& write(const std::string& name, const PackedInfo& info,
                             const std::vector<PackedRow>& rows) {
    write_packed(folder_.path() / name, info, rows);
    datasets_.push_back(std::make_unique<PackedDataset>(folder_.path() / name));
    return *datasets_.back();
  }

  static std::vector<std::size_t> rows_of(const std::vector<FaceRef>& faces) {
    std::vector<std::size_t> rows;
    for (const FaceRef& face : faces) rows.push_back(face.row);
    return rows;
  }

  static std::string error_of(const SslSources& sources) {
    return test::error_of([&] { ssl_data(sources); });
  }

  static SslSources drawn(const PackedDataset& data, int labels, std::uint64_t seed = 1) {
    SslSources sources;
    sources.labelled = &data;
    sources.labels_per_class = labels;
    sources.seed = seed;
    return sources;
  }

  const test::ScopedFolder folder_;
  std::vector<std::unique_ptr<PackedDataset>> datasets_;
  std::vector<PackedRow> rows_ = test::tiny_rows(20);
  const PackedDataset& data_ = write("faces", test::tiny_info(), rows_);
};

TEST_F(SslDataTest, DrawsLabelsAndTakesTheRestWithout) {
  const SslData data = ssl_data(drawn(data_, 4));
  ASSERT_EQ(data.labelled.size(), 12u);
  std::vector<int> counts(3);
  for (std::size_t i = 0; i < data.labelled.size(); ++i) {
    const FaceRef& face = data.labelled[i];
    EXPECT_EQ(face.label, data_.label(face.row));
    EXPECT_EQ(data_.split(face.row), "train");
    EXPECT_EQ(data.targets[i][static_cast<std::size_t>(face.label)], 1);
    ++counts[static_cast<std::size_t>(face.label)];
  }
  EXPECT_EQ(counts, (std::vector<int>{4, 4, 4}));
  EXPECT_EQ(data.unlabelled.size(), 48u);
  EXPECT_EQ(data.valid.size(), 21u);
  std::set<std::size_t> all;
  for (const auto* faces : {&data.labelled, &data.unlabelled})
    for (const FaceRef& face : *faces) EXPECT_TRUE(all.insert(face.row).second);
  for (const FaceRef& face : data.unlabelled) EXPECT_EQ(face.label, data_.label(face.row));
}

TEST_F(SslDataTest, TakesAShareOfEachClassAndTheRestWithout) {
  SslSources sources = drawn(data_, 0);
  sources.label_share = 0.22;  // of 20: 4.4
  const SslData data = ssl_data(sources);
  std::vector<int> counts(3);
  for (const FaceRef& face : data.labelled) ++counts[static_cast<std::size_t>(face.label)];
  EXPECT_EQ(counts, (std::vector<int>{5, 5, 5}));
  EXPECT_EQ(data.unlabelled.size(), 45u);
  std::set<std::size_t> all;
  for (const auto* faces : {&data.labelled, &data.unlabelled})
    for (const FaceRef& face : *faces) EXPECT_TRUE(all.insert(face.row).second);

  EXPECT_EQ(rows_of(data.labelled), rows_of(ssl_data(sources).labelled));
  sources.label_share = 0.5;
  const auto many = rows_of(ssl_data(sources).labelled);
  EXPECT_EQ(many.size(), 30u);
  for (const std::size_t row : rows_of(data.labelled))
    EXPECT_NE(std::find(many.begin(), many.end(), row), many.end());
  sources.label_share = 1;
  EXPECT_EQ(ssl_data(sources).labelled.size(), 60u);
  EXPECT_TRUE(ssl_data(sources).unlabelled.empty());
  for (const double wrong : {0., -1., 1.5}) {
    sources.label_share = wrong;
    EXPECT_THAT(error_of(sources), HasSubstr("share of labels"));
  }
}

TEST_F(SslDataTest, DrawsTheSameForASeed) {
  EXPECT_EQ(rows_of(ssl_data(drawn(data_, 4)).labelled),
            rows_of(ssl_data(drawn(data_, 4)).labelled));
  EXPECT_NE(rows_of(ssl_data(drawn(data_, 4)).labelled),
            rows_of(ssl_data(drawn(data_, 4, 2)).labelled));
  // The few are among the many.
  const auto few = rows_of(ssl_data(drawn(data_, 2)).labelled);
  const auto many = rows_of(ssl_data(drawn(data_, 6)).labelled);
  for (std::size_t row : few) EXPECT_THAT(many, testing::Contains(row));
}

TEST_F(SslDataTest, TakesAllLabelsWithTheirVotes) {
  rows_[0].votes = {3, 1, 0};
  const PackedDataset& data = write("votes", test::tiny_info(), rows_);
  SslSources sources;
  sources.labelled = &data;
  sources.min_votes = 1;
  const SslData all = ssl_data(sources);
  EXPECT_EQ(all.labelled.size(), 60u);
  EXPECT_TRUE(all.unlabelled.empty());
  EXPECT_THAT(all.targets[0], testing::ElementsAre(0.75f, 0.25f, 0.f));
  // Rows of the same dataset that carry a label do not come again.
  sources.unlabelled = {&data};
  EXPECT_TRUE(ssl_data(sources).unlabelled.empty());
}

TEST_F(SslDataTest, LeavesDuplicatesOut) {
  for (PackedRow& row : rows_) row.duplicate = row.label == 0 && row.split == 0;
  for (std::size_t i = 0, kept = 0; i < rows_.size() && kept < 5; ++i)
    if (rows_[i].duplicate) rows_[i].duplicate = false, ++kept;
  const PackedDataset& data = write("duplicates", test::tiny_info(), rows_);
  const SslData drawn_data = ssl_data(drawn(data, 5));
  EXPECT_EQ(drawn_data.labelled.size() + drawn_data.unlabelled.size(), 45u);
}

TEST_F(SslDataTest, MatchesLabelsOfOtherDatasetsByName) {
  PackedInfo info = test::tiny_info();
  info.labels = {"surprised", "anger", "Happy"};
  info.splits = {"all", "valid", "test"};
  const PackedDataset& other = write("other", info, rows_);
  SslSources sources = drawn(data_, 4);
  sources.unlabelled = {&other};
  const SslData data = ssl_data(sources);
  // No split is called train: all 102 rows.
  EXPECT_EQ(data.unlabelled.size(), 48u + 102u);
  EXPECT_THAT(data.info.source, HasSubstr("+"));
  for (const FaceRef& face : data.unlabelled) {
    if (face.data != &other) continue;
    EXPECT_EQ(face.label,
              (std::vector<int>{2, -1, 1})[static_cast<std::size_t>(other.label(face.row))]);
  }
}

TEST_F(SslDataTest, SelectsByAnotherDataset) {
  SslSources sources = drawn(data_, 4);
  PackedInfo info = test::tiny_info();
  info.splits = {"a", "b", "c"};
  const PackedDataset& other = write("valid", info, rows_);
  sources.valid = &other;
  EXPECT_EQ(ssl_data(sources).valid.size(), 102u);
  EXPECT_EQ(ssl_data(sources).valid[0].data, &other);
}

TEST_F(SslDataTest, NamesWhatIsMissing) {
  EXPECT_THAT(error_of(drawn(data_, 21)), AllOf(HasSubstr("faces"), HasSubstr("expected 21"),
                                                HasSubstr("found 20"), HasSubstr("\"neutral\"")));
  SslSources fewer = drawn(data_, 21);
  fewer.fewer_is_fine = true;
  EXPECT_EQ(ssl_data(fewer).labelled.size(), 60u);

  std::vector<PackedRow> none = rows_;
  std::erase_if(none, [](const PackedRow& row) { return row.label == 1 && row.split == 0; });
  const PackedDataset& empty = write("empty", test::tiny_info(), none);
  EXPECT_THAT(error_of(drawn(empty, 4)),
              AllOf(HasSubstr("empty"), HasSubstr("found 0 of \"happiness\"")));
  SslSources sources = drawn(empty, 0);
  EXPECT_THAT(error_of(sources), HasSubstr("none of \"happiness\""));
  fewer = drawn(empty, 4);
  fewer.fewer_is_fine = true;
  EXPECT_THAT(error_of(fewer), HasSubstr("found 0 of \"happiness\""));
}

TEST_F(SslDataTest, NamesWhatDoesNotFit) {
  PackedInfo info = test::tiny_info();
  info.crops.align_template = "arcface";
  const PackedDataset& other = write("arcface", info, rows_);
  SslSources sources = drawn(data_, 4);
  sources.unlabelled = {&other};
  EXPECT_THAT(error_of(sources), AllOf(HasSubstr("arcface:"), HasSubstr("\"fer\"")));
  sources = drawn(data_, 4);
  info = test::tiny_info();
  info.labels = {"neutral", "happiness", "fear"};
  const PackedDataset& labels = write("labels", info, rows_);
  sources.valid = &labels;
  EXPECT_THAT(error_of(sources), AllOf(HasSubstr("labels:"), HasSubstr("found \"fear\"")));
}

}  // namespace
}  // namespace fer
