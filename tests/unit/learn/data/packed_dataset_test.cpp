#include "learn/data/packed_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>

#include "content.h"
#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::ScopedFolder;
using testing::HasSubstr;

PackedInfo info() {
  PackedInfo info;
  info.crops.channels = 3;
  info.crops.side = 8;
  info.labels = {"neutral", "sadness"};
  info.splits = {"train", "test"};
  info.crops.align_template = "arcface";
  info.source = "somewhere";
  return info;
}

PackedRow row(std::uint8_t shade, int label, std::uint8_t split) {
  PackedRow row;
  row.crop.assign(3 * 8 * 8, shade);
  row.votes = {label == 0 ? 7.f : 0.5f, label == 1 ? 9.f : 1.f};
  row.label = label;
  row.split = split;
  return row;
}

TEST(PackedDataset, GivesBackWhatWasWritten) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  std::vector<PackedRow> rows{row(10, 0, 0), row(20, 1, 1), row(30, -1, 0)};
  rows[1].duplicate = true;
  rows[2].aligned = true;
  rows[0].crop[5] = 99;
  rows[1].person = 4;
  write_packed(path, info(), rows);

  const PackedDataset data(path);
  EXPECT_EQ(data.info().crops.channels, 3);
  EXPECT_EQ(data.info().crops.side, 8);
  EXPECT_EQ(data.info().labels, info().labels);
  EXPECT_EQ(data.info().splits, info().splits);
  EXPECT_EQ(data.info().crops.align_template, "arcface");
  EXPECT_EQ(data.info().source, "somewhere");
  ASSERT_EQ(data.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::equal(rows[i].crop.begin(), rows[i].crop.end(), data.crop(i).begin()));
    EXPECT_EQ(data.crop(i).size(), rows[i].crop.size());
    EXPECT_THAT(data.votes(i), testing::ElementsAreArray(rows[i].votes));
    EXPECT_EQ(data.label(i), rows[i].label);
    EXPECT_EQ(data.duplicate(i), rows[i].duplicate);
    EXPECT_EQ(data.aligned(i), rows[i].aligned);
    EXPECT_EQ(data.person(i), rows[i].person);
    EXPECT_EQ(data.split(i), info().splits[rows[i].split]);
  }
  EXPECT_THAT(data.rows("train"), testing::ElementsAre(0, 2));
  EXPECT_THAT(data.rows("test"), testing::ElementsAre(1));
  EXPECT_THAT(data.rows(""), testing::ElementsAre(0, 1, 2));
}

TEST(PackedDataset, KnowsNoPersonsWhereNobodyNamedAny) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  write_packed(path, info(), {row(10, 0, 0)});
  EXPECT_FALSE(SafetensorsFile(path).tensors().contains("persons"));
  EXPECT_EQ(PackedDataset(path).person(0), -1);
}

TEST(PackedDataset, CarriesNamesAndColumns) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  PackedInfo with = info();
  with.columns = {"age", "camera"};
  std::vector<PackedRow> rows{row(10, 0, 0), row(20, 1, 1), row(30, -1, 0)};
  rows[0].image = "a/one.png";
  rows[2].image = "three.png";
  rows[0].columns = {"31", ""};
  rows[1].columns = {"", "left"};
  rows[2].columns = {"7", "right"};
  write_packed(path, with, rows);
  const PackedDataset data(path);
  EXPECT_EQ(data.info().columns, with.columns);
  EXPECT_EQ(data.column("camera"), 1u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(data.image(i), rows[i].image);
    for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(data.text(k, i), rows[i].columns[k]);
  }
  EXPECT_THAT(error_of([&] { data.column("sex"); }),
              testing::AllOf(HasSubstr("no column \"sex\""), HasSubstr(R"(["age","camera"])"),
                             HasSubstr("fer pack --columns sex")));
  rows[1].columns.pop_back();
  EXPECT_THROW(write_packed(path, with, rows), std::invalid_argument);
}

TEST(PackedDataset, KnowsNoNamesWhereNobodyGaveAny) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  write_packed(path, info(), {row(10, 0, 0)});
  EXPECT_FALSE(SafetensorsFile(path).tensors().contains("images.ends"));
  EXPECT_EQ(PackedDataset(path).image(0), "");
}

TEST(PackedDataset, OutlivesItsName) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  write_packed(path, info(), {row(10, 0, 0)});
  const PackedDataset data(path, "faces.csv");
  fs::remove(path);
  EXPECT_EQ(data.crop(0)[0], 10);
  EXPECT_THAT(error_of([&] { data.rows("valid"); }),
              testing::AllOf(HasSubstr("faces.csv: "), HasSubstr("\"valid\""),
                             HasSubstr(R"(["train","test"])")));
}

TEST(PackedDataset, RefusesRowsThatDoNotFit) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  PackedRow small = row(1, 0, 0), mute = row(1, 0, 0);
  small.crop.pop_back();
  mute.votes.pop_back();
  EXPECT_THROW(write_packed(path, info(), {}), std::invalid_argument);
  EXPECT_THROW(write_packed(path, info(), {small}), std::invalid_argument);
  EXPECT_THROW(write_packed(path, info(), {mute}), std::invalid_argument);
  EXPECT_FALSE(fs::exists(path));
}

TEST(PackedDataset, LeavesNothingBesideAFileThatCannotBeReplaced) {
  const ScopedFolder folder;
  fs::create_directory(folder.path() / "faces.packed");
  const std::string error =
      error_of([&] { write_packed(folder.path() / "faces.packed", info(), {row(1, 0, 0)}); });
  EXPECT_THAT(error, HasSubstr("faces.packed"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(PackedDataset, SaysWhatIsNotThere) {
  EXPECT_THAT(error_of([] { PackedDataset("/no/such/file"); }), HasSubstr("/no/such/file: "));
}

TEST(PackedDataset, NoticesTruncation) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  write_packed(path, info(), {row(10, 0, 0), row(20, 1, 1)});
  const auto size = fs::file_size(path);
  for (const auto kept : {std::uintmax_t{0}, std::uintmax_t{7}, std::uintmax_t{40}, size - 1}) {
    fs::resize_file(path, kept);
    EXPECT_THAT(error_of([&] { PackedDataset data(path); }), HasSubstr(path.string())) << kept;
    write_packed(path, info(), {row(10, 0, 0), row(20, 1, 1)});
  }
}

std::vector<PackedRow> named_rows() {
  std::vector<PackedRow> rows{row(10, 0, 0), row(20, 1, 1), row(30, -1, 0)};
  rows[0].image = "one.png";
  rows[1].person = 4;
  return rows;
}

/// All that a file says; empty where it is refused.
std::string all_of(const fs::path& path) {
  try {
    const PackedDataset data(path);
    std::string all = data.info().source + data.info().crops.align_template;
    for (const auto* names : {&data.info().labels, &data.info().splits, &data.info().columns})
      for (const std::string& name : *names) all += name + ",";
    for (std::size_t i = 0; i < data.size(); ++i) {
      const PackedRow read = data.row(i);
      all.append(read.crop.begin(), read.crop.end());
      for (const float vote : read.votes) all += std::to_string(vote) + ",";
      for (const std::int64_t number :
           {std::int64_t{read.label}, std::int64_t{read.split}, std::int64_t{read.duplicate},
            std::int64_t{read.aligned}, read.person})
        all += std::to_string(number) + ",";
      all += read.image;
    }
    return all;
  } catch (const std::runtime_error& refused) {
    EXPECT_THAT(refused.what(), HasSubstr(path.string()));
    return "";
  }
}

TEST(PackedDataset, NoticesEveryChangedByte) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  write_packed(path, info(), named_rows());
  const std::string bytes = test::content(path), said = all_of(path);
  ASSERT_FALSE(said.empty());
  int harmless = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] ^= static_cast<char>(1 << i % 8);
    const std::string now = all_of(folder.write("faces.packed", changed));
    EXPECT_TRUE(now.empty() || now == said) << "byte " << i << " of " << bytes.size();
    harmless += now == said;
  }
  // Spaces behind the header that became other white space.
  EXPECT_LT(harmless, 64);
}

TEST(PackedDataset, ChecksOnlyWhatIsRead) {
  const ScopedFolder folder;
  PackedInfo large = info();
  large.crops.side = 200;
  std::vector<PackedRow> rows(3, row(10, 0, 0));
  for (PackedRow& r : rows) r.crop.assign(large.crops.bytes(), 10);
  write_packed(folder.path() / "faces.packed", large, rows);
  std::string bytes = test::content(folder.path() / "faces.packed");
  // In the last face's pixels, whichever tensors stand behind them.
  bytes[bytes.rfind(std::string(1000, 10)) + 500] ^= 1;
  const PackedDataset data(folder.write("changed.packed", bytes));
  EXPECT_EQ(data.crop(0)[0], 10);
  EXPECT_THAT(error_of([&] { data.crop(2); }),
              testing::AllOf(HasSubstr("changed.packed: its content is not what was written"),
                             HasSubstr("\"crops\" differs in bytes")));
}

TEST(PackedDataset, SaysWhereTheFileShrinksWhileItIsRead) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  PackedInfo large = info();
  large.crops.side = 200;
  std::vector<PackedRow> rows(3, row(10, 0, 0));
  for (PackedRow& r : rows) r.crop.assign(large.crops.bytes(), 10);
  write_packed(path, large, rows);
  const PackedDataset unread(path), read(path);
  const auto before = read.crop(2);
  fs::resize_file(path, 8192);
  EXPECT_THAT(error_of([&] { unread.crop(2); }), HasSubstr("became shorter while it was read"));
  // What was looked at before is gone as well: zeros, and an error at the next face.
  EXPECT_EQ(before[before.size() - 1], 0);
  EXPECT_THAT(error_of([&] { read.crop(0); }), HasSubstr("faces.packed: it became shorter"));
}

TEST(PackedDataset, ReadsFilesOfBeforeWithoutChecksums) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "faces.packed";
  write_packed(path, info(), named_rows());
  EXPECT_TRUE(PackedDataset(path).has_checksums());
  const SafetensorsFile now(path);
  auto tensors = now.tensors();
  auto metadata = now.metadata();
  metadata["format"] = "gst-fer-faces/1";
  const fs::path half = folder.path() / "half.packed", before = folder.path() / "before.packed";
  // What has checksums is none of those, whatever it says.
  write_safetensors(half, tensors, metadata);
  EXPECT_EQ(all_of(half), "");
  tensors.erase("checksums");
  metadata.erase("checksum");
  write_safetensors(before, tensors, metadata);
  EXPECT_FALSE(PackedDataset(before).has_checksums());
  EXPECT_EQ(all_of(before), all_of(path));
}

/// The tensors and metadata of a packed dataset of two rows, for breaking one at a time.
struct Parts {
  std::vector<std::uint8_t> crops = std::vector<std::uint8_t>(2 * 64), splits{0, 1},
                            duplicates{0, 0}, aligned{0, 0};
  std::vector<float> votes{1, 0, 0, 1};
  std::vector<std::int64_t> labels{0, 1};
  std::map<std::string, TensorView> tensors{
      {"crops", {DType::kU8, {2, 1, 8, 8}, crops.data(), crops.size()}},
      {"votes", {DType::kF32, {2, 2}, votes.data(), 16}},
      {"labels", {DType::kI64, {2}, labels.data(), 16}},
      {"splits", {DType::kU8, {2}, splits.data(), 2}},
      {"duplicates", {DType::kU8, {2}, duplicates.data(), 2}},
      {"aligned", {DType::kU8, {2}, aligned.data(), 2}}};
  std::map<std::string, std::string> metadata{{"format", "gst-fer-faces/1"},
                                              {"labels", R"(["neutral","sadness"])"},
                                              {"splits", R"(["train","test"])"},
                                              {"align_template", "fer"},
                                              {"source", "tests"}};

  std::string names = "abc";
  std::vector<std::int64_t> ends{1, 3};
  void add_names() {
    tensors["images.bytes"] = {DType::kU8, {3}, names.data(), 3};
    tensors["images.ends"] = {DType::kI64, {2}, ends.data(), 16};
  }

  /// What the reader says of the file.
  std::string error() const {
    const ScopedFolder folder;
    const fs::path path = folder.path() / "parts.packed";
    write_safetensors(path, tensors, metadata);
    const std::string message = error_of([&] { PackedDataset data(path); });
    EXPECT_TRUE(message.empty() || message.rfind(path.string() + ": ", 0) == 0) << message;
    return message;
  }
};

TEST(PackedDataset, ReadsTheWholeParts) {
  EXPECT_EQ(Parts().error(), "");
}

TEST(PackedDataset, NamesWhatIsBroken) {
  const std::map<std::string, std::function<void(Parts&)>> breaks{
      {"expected a packed dataset", [](Parts& p) { p.metadata["format"] = "gst-fer/1"; }},
      {"fer pack", [](Parts& p) { p.metadata.erase("format"); }},
      {"metadata is broken", [](Parts& p) { p.metadata["labels"] = "neutral"; }},
      {"\"splits\"", [](Parts& p) { p.metadata.erase("splits"); }},
      {"\"aligned\"", [](Parts& p) { p.tensors.erase("aligned"); }},
      {"\"labels\": expected I64", [](Parts& p) { p.tensors["labels"] = p.tensors["splits"]; }},
      {"crops: expected",
       [](Parts& p) {
         p.tensors["crops"].shape = {2, 2, 8, 4};
       }},
      {"votes: expected",
       [](Parts& p) {
         p.tensors["votes"].shape = {1, 4};
       }},
      {"duplicates: expected one entry a crop",
       [](Parts& p) {
         p.tensors["duplicates"] = {DType::kU8, {1}, p.duplicates.data(), 1};
       }},
      {"\"images.bytes\"",
       [](Parts& p) {
         p.add_names();
         p.tensors.erase("images.bytes");
       }},
      {"images: expected one text a crop",
       [](Parts& p) {
         p.ends = {2, 1};
         p.add_names();
       }},
      {"images: expected one text a crop, of",
       [](Parts& p) {
         p.ends = {1, 4};
         p.add_names();
       }},
      {"images: expected one text a",
       [](Parts& p) {
         p.ends = {-1, 3};
         p.add_names();
       }},
      {"column.age", [](Parts& p) { p.metadata["columns"] = R"(["age"])"; }},
      {"row 1: label or split", [](Parts& p) { p.labels[1] = 2; }},
      {"row 0: label or split", [](Parts& p) { p.labels[0] = -2; }},
      {"row 1: label or split out", [](Parts& p) { p.splits[1] = 2; }},
      {"row 0: a vote is", [](Parts& p) { p.votes[1] = -1; }},
      {"row 1: a vote is", [](Parts& p) { p.votes[2] = std::nanf(""); }},
  };
  for (const auto& [expected, damage] : breaks) {
    Parts parts;
    damage(parts);
    EXPECT_THAT(parts.error(), HasSubstr(expected));
  }
}

}  // namespace
}  // namespace fer
