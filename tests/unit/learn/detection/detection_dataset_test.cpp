#include "learn/detection/detection_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include "content.h"
#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

SceneFace made_face(float x) {
  SceneFace face{x, 2, 5, 6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.75f, true};
  return face;
}

/// Three photos: one face, none, two faces of which one is unsure.
class DetectionDatasetTest : public testing::Test {
 protected:
  DetectionDatasetTest() {
    add({3, 2, {made_face(-1)}, 0, 0, false}, 6);
    add({2, 2, {}, 1, 1, true}, 4);
    Scene two{4, 1, {made_face(0), made_face(1)}, 0, 1, false};
    two.faces[1].sure = false;
    add(two, 4);
    writer_.write(path_, info_);
  }

  void add(const Scene& scene, std::size_t pixels) {
    std::vector<std::uint8_t> values;
    for (std::size_t i = 0; i < pixels; ++i) values.push_back(next_++);
    writer_.add(scene, values);
  }

  const ScopedFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "scenes";
  const SceneInfo info_{{"train", "valid"}, {"one", "other"}, "a test"};
  DetectionDatasetWriter writer_;
  std::uint8_t next_ = 0;
};

TEST_F(DetectionDatasetTest, NoticesEveryChangedByte) {
  const std::string bytes = test::content(path_);
  const auto all = [&](const std::string& file) {
    std::string text;
    try {
      const DetectionDataset data(folder_.write("scenes", file));
      for (std::size_t i = 0; i < data.size(); ++i) {
        text += data.split(i) + data.source(i) + std::to_string(data.tempting(i));
        text.append(data.pixels(i).begin(), data.pixels(i).end());
        for (const SceneFace& face : data.faces(i)) {
          text += std::to_string(face.x) + std::to_string(face.score) + std::to_string(face.sure);
          for (const float point : face.points) text += std::to_string(point) + ",";
        }
      }
      text += data.info().source;
    } catch (const std::runtime_error&) {
      return std::string();
    }
    return text;
  };
  const std::string said = all(bytes);
  ASSERT_FALSE(said.empty());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] ^= static_cast<char>(1 << i % 8);
    const std::string now = all(changed);
    EXPECT_TRUE(now.empty() || now == said) << "byte " << i << " of " << bytes.size();
  }
}

TEST_F(DetectionDatasetTest, ReadsFilesOfBeforeWithoutChecksums) {
  const SafetensorsFile now(path_);
  auto tensors = now.tensors();
  auto metadata = now.metadata();
  tensors.erase("checksums");
  metadata.erase("checksum");
  metadata["format"] = "gst-fer-scenes/1";
  write_safetensors(folder_.path() / "before", tensors, metadata);
  EXPECT_THAT(DetectionDataset(folder_.path() / "before").pixels(1), ElementsAre(6, 7, 8, 9));
}

TEST_F(DetectionDatasetTest, GivesBackWhatWasWritten) {
  const DetectionDataset data(path_);
  ASSERT_EQ(data.size(), 3u);
  EXPECT_EQ(data.info().source, "a test");
  EXPECT_EQ(data.width(0), 3);
  EXPECT_EQ(data.height(0), 2);
  EXPECT_THAT(data.pixels(1), ElementsAre(6, 7, 8, 9));
  EXPECT_THAT(data.pixels(2), ElementsAre(10, 11, 12, 13));
  ASSERT_EQ(data.faces(0).size(), 1u);
  EXPECT_EQ(data.faces(0)[0].x, -1);
  EXPECT_EQ(data.faces(0)[0].height, 6);
  EXPECT_THAT(data.faces(0)[0].points, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(data.faces(0)[0].score, 0.75f);
  EXPECT_TRUE(data.faces(1).empty());
  ASSERT_EQ(data.faces(2).size(), 2u);
  EXPECT_TRUE(data.faces(2)[0].sure);
  EXPECT_FALSE(data.faces(2)[1].sure);
  EXPECT_EQ(data.split(1), "valid");
  EXPECT_EQ(data.source(0), "one");
  EXPECT_EQ(data.source(2), "other");
  EXPECT_TRUE(data.tempting(1));
  EXPECT_FALSE(data.tempting(2));
  EXPECT_THAT(data.photos("train"), ElementsAre(0, 2));
  EXPECT_THAT(error_of([&] { data.photos("test"); }), HasSubstr("no split \"test\""));
}

TEST_F(DetectionDatasetTest, RefusesWhatDoesNotFitOnTheWayIn) {
  DetectionDatasetWriter writer;
  const std::vector<std::uint8_t> four(4);
  EXPECT_THROW(writer.add({3, 2, {}}, four), std::invalid_argument);
  EXPECT_THROW(writer.add({0, 2, {}}, {}), std::invalid_argument);
  const auto with = [](auto&& change) {
    Scene scene{2, 2, {made_face(0)}};
    change(scene.faces[0]);
    return scene;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(writer.add(with([&](SceneFace& f) { f.x = nan; }), four), std::invalid_argument);
  EXPECT_THROW(writer.add(with([](SceneFace& f) { f.width = 0; }), four), std::invalid_argument);
  EXPECT_THROW(writer.add(with([](SceneFace& f) { f.score = 1.5f; }), four), std::invalid_argument);
  EXPECT_THROW(writer.add(with([](SceneFace& f) { f.points[3] = 1e30f; }), four),
               std::invalid_argument);
  EXPECT_THROW(writer.write(path_, info_), std::invalid_argument);  // nothing was added
  writer.add({2, 2, {}, 7}, four);
  EXPECT_THROW(writer.write(path_, info_), std::invalid_argument);  // no such split
}

/// Writes the same tensors as the writer, one of them changed; as version 1, without the checksums
/// that would tell first.
class BrokenScenes : public DetectionDatasetTest {
 protected:
  using Tensors = std::map<std::string, TensorView>;
  using Metadata = std::map<std::string, std::string>;

  std::string complaint(const std::function<void(Tensors&, Metadata&)>& change) {
    const std::filesystem::path broken = folder_.path() / "broken";
    {
      const SafetensorsFile file(path_);
      Tensors tensors = file.tensors();
      Metadata metadata = file.metadata();
      tensors.erase("checksums");
      metadata.erase("checksum");
      metadata["format"] = "gst-fer-scenes/1";
      change(tensors, metadata);
      write_safetensors(broken, tensors, metadata);
    }
    return error_of([&] { DetectionDataset data(broken); });
  }
};

TEST_F(BrokenScenes, UnchangedTheyAreSound) {
  EXPECT_EQ(complaint([](Tensors&, Metadata&) {}), "");
}

TEST_F(BrokenScenes, AreRefusedWithTheReason) {
  std::int64_t sides[] = {3, 2, std::int64_t{1} << 40}, minus[] = {1, -1, 3}, many[] = {1, 0, 9},
               long_ones[] = {3, 2, 5}, few[] = {1, 0, 1}, one[] = {1};
  std::uint8_t splits[] = {0, 1, 2};
  const auto i64 = [](const auto& values) {
    return TensorView{DType::kI64, {std::ssize(values)}, values, sizeof values};
  };
  EXPECT_THAT(complaint([&](Tensors& t, Metadata&) { t["widths"] = i64(sides); }),
              AllOf(HasSubstr("broken"), HasSubstr("photo 2"), HasSubstr("side")));
  EXPECT_THAT(complaint([&](Tensors& t, Metadata&) { t["face_counts"] = i64(minus); }),
              HasSubstr("photo 1: more faces"));
  EXPECT_THAT(complaint([&](Tensors& t, Metadata&) { t["face_counts"] = i64(many); }),
              HasSubstr("photo 2: more faces"));
  EXPECT_THAT(complaint([&](Tensors& t, Metadata&) { t["face_counts"] = i64(few); }),
              HasSubstr("more faces than its photos have"));
  EXPECT_THAT(complaint([&](Tensors& t, Metadata&) { t["widths"] = i64(long_ones); }),
              HasSubstr("photo 2: more pixels"));
  EXPECT_THAT(complaint([&](Tensors& t, Metadata&) { t["heights"] = i64(one); }),
              HasSubstr("heights"));
  EXPECT_THAT(complaint([&](Tensors& t, Metadata&) {
                t["splits"] = {DType::kU8, {3}, splits, sizeof splits};
              }),
              HasSubstr("photo 2: split"));
  EXPECT_THAT(complaint([](Tensors& t, Metadata&) { t.erase("sure"); }), HasSubstr("\"sure\""));
  EXPECT_THAT(complaint([](Tensors&, Metadata& m) { m["splits"] = "{"; }), HasSubstr("metadata"));
  EXPECT_THAT(complaint([](Tensors&, Metadata& m) { m["format"] = "gst-fer/1"; }),
              AllOf(HasSubstr("expected photos with faces"), HasSubstr("an expression model")));
}

TEST_F(BrokenScenes, NumbersThatAreNoneAreRefused) {
  EXPECT_THAT(complaint([&](Tensors& t, Metadata&) {
                static std::vector<float> faces(45, 1.f);
                faces[14] = faces[29] = faces[44] = 0.5f;
                faces[17] = std::nanf("");
                t["faces"] = {DType::kF32, {3, 15}, faces.data(), faces.size() * 4};
              }),
              HasSubstr("photo 2: a face's box"));
}

TEST_F(DetectionDatasetTest, RefusesATruncatedFile) {
  std::ifstream in(path_, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto cut = folder_.write("cut", bytes.substr(0, bytes.size() - 20));
  EXPECT_THAT(error_of([&] { DetectionDataset data(cut); }), HasSubstr("truncated"));
}

}  // namespace
}  // namespace fer
