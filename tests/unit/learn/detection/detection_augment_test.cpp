#include "learn/detection/detection_augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "data/tiny_scenes.h"
#include "scoped.h"

namespace fer {
namespace {

constexpr int kSide = 128;

/// Changes nothing but place and size.
DetectionAugmentConfig geometry_only() {
  DetectionAugmentConfig config;
  config.mosaic = config.dark = config.gradient = config.blur = config.noise = 0;
  config.compression = config.erase = config.gamma = config.contrast = config.brightness = 0;
  return config;
}

/// One photo with a marked face: landmarks are single bright blocks on black, all of different
/// brightness, so that a view shows where each went.
class AugmentTest : public testing::Test {
 protected:
  AugmentTest() {
    DetectionDatasetWriter writer;
    TinyPhoto marked;
    marked.scene.width = 200;
    marked.scene.height = 160;
    marked.pixels.assign(200 * 160, 10);
    SceneFace face;
    face.x = 60;
    face.y = 40;
    face.width = 60;
    face.height = 80;
    face.points = {75, 65, 105, 65, 90, 85, 78, 105, 102, 105};
    for (std::size_t k = 0; k < 5; ++k) {
      const int x = static_cast<int>(face.points[2 * k]),
                y = static_cast<int>(face.points[2 * k + 1]);
      for (int dy = -4; dy < 4; ++dy)
        for (int dx = -4; dx < 4; ++dx)
          marked.set(x + dx, y + dy, 100 + 30.0 * static_cast<double>(k));
    }
    marked.scene.faces = {face};
    writer.add(marked.scene, marked.pixels);
    Random random(3);
    for (int i = 0; i < 3; ++i) {
      TinyPhoto other = test::tiny_background(100, 140, random);
      test::draw_tiny_face(other, 50, 60, 40, random);
      writer.add(other.scene, other.pixels);
    }
    TinyPhoto empty = test::tiny_background(300, 50, random);
    writer.add(empty.scene, empty.pixels);
    writer.write(folder_.path() / "scenes", {{"train"}, {""}, ""});
    data_.emplace(folder_.path() / "scenes");
  }
  using TinyPhoto = test::TinyPhoto;

  std::vector<ViewFace> view(const ViewPhotos& photos, const DetectionAugmentConfig& config,
                             std::uint64_t seed) {
    pixels_.assign(kSide * kSide, -1);
    return make_view(*data_, photos, kSide, config, Random(seed), pixels_);
  }

  const test::ScopedFolder folder_;
  std::optional<DetectionDataset> data_;
  std::vector<float> pixels_;
};

TEST_F(AugmentTest, LandmarksGoWhereTheirPixelsGo) {
  int seen = 0, mirrored = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::vector<ViewFace> faces = view({{0}, 1}, geometry_only(), seed);
    ASSERT_EQ(faces.size(), 1u);
    const ViewFace& face = faces[0];
    if (face.width < 30) continue;  // the marks are too small to be read
    // Brightness of the marks in the order of the landmarks; a mirrored view swaps right and left.
    std::array<float, 5> values{};
    bool whole = true;
    for (std::size_t k = 0; k < 5; ++k) {
      whole = whole && face.visible[k];
      if (!face.visible[k]) continue;
      const int x = static_cast<int>(face.points[2 * k]),
                y = static_cast<int>(face.points[2 * k + 1]);
      values[k] = pixels_[static_cast<std::size_t>(y * kSide + x)];
      EXPECT_GE(face.points[2 * k], 0);
      EXPECT_LT(face.points[2 * k], kSide);
    }
    if (!whole) continue;
    ++seen;
    const bool mirror = values[0] > 115;
    mirrored += mirror;
    const std::array<float, 5> wanted = mirror ? std::array{130.f, 100.f, 160.f, 220.f, 190.f}
                                               : std::array{100.f, 130.f, 160.f, 190.f, 220.f};
    for (std::size_t k = 0; k < 5; ++k) EXPECT_NEAR(values[k], wanted[k], 4) << seed << " " << k;
    // The right eye is on the left of the picture, mirrored or not.
    EXPECT_LT(face.points[0], face.points[2]);
    // The box keeps its shape, and its middle stays between the landmarks.
    if (face.x > 0 && face.y > 0 && face.x + face.width < kSide && face.y + face.height < kSide) {
      EXPECT_NEAR(face.height / face.width, 80.0 / 60, 0.2);
      EXPECT_NEAR(face.x + face.width / 2, face.points[4], 0.15 * face.width);
      EXPECT_NEAR(face.y + face.height / 2, face.points[5] - 0.06 * face.height,
                  0.12 * face.height);
    }
  }
  EXPECT_GT(seen, 10);
  EXPECT_GT(mirrored, 2);
  EXPECT_LT(mirrored, seen - 2);
}

TEST_F(AugmentTest, TurnedViewsTurnFacesByAnyAngle) {
  DetectionAugmentConfig config = geometry_only();
  config.turned = 1;
  std::array<int, 4> quarters{};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const ViewFace& face : view({{0}, 1}, config, seed)) {
      const float x = face.points[2] - face.points[0], y = face.points[3] - face.points[1];
      ++quarters[static_cast<std::size_t>(std::lround(std::atan2(y, x) / 1.5708f) & 3)];
      const bool whole =
          face.x > 0 && face.y > 0 && face.x + face.width < kSide && face.y + face.height < kSide;
      if (!whole || face.width < 20) continue;
      // The box lies around the nose, and holds the landmarks.
      EXPECT_NEAR(face.x + face.width / 2, face.points[4], 0.12f * face.width);
      EXPECT_NEAR(face.y + face.height / 2, face.points[5], 0.12f * face.height);
      for (std::size_t k = 0; k < 10; k += 2) {
        EXPECT_GT(face.points[k], face.x) << seed;
        EXPECT_LT(face.points[k], face.x + face.width) << seed;
      }
      // On its side it is wider than high, as 80 to 60; stretched by a few percent.
      if (std::abs(x) < 0.2f * std::abs(y)) {
        EXPECT_NEAR(face.width / face.height, 80.0 / 60, 0.2);
      }
    }
  }
  for (const int quarter : quarters) EXPECT_GT(quarter, 20);
}

TEST_F(AugmentTest, ATurnedPhotoFillsTheViewAsAnUprightOneDoes) {
  DetectionAugmentConfig config = geometry_only();
  config.turned = 1;
  config.largest_face = 0.9;
  config.min_face = 110;  // the photo is then larger than the view in all directions
  int black = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    view({{0}, 1}, config, seed);
    for (const float pixel : pixels_) black += pixel == 0;
    all += kSide * kSide;
  }
  EXPECT_LT(black, 0.2 * all);
}

TEST_F(AugmentTest, FacesComeInAllSizes) {
  std::vector<float> heights;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (const ViewFace& face : view({{0}, 1}, geometry_only(), seed))
      heights.push_back(face.height);
  const auto [min, max] = std::minmax_element(heights.begin(), heights.end());
  EXPECT_LT(*min, 40);
  EXPECT_GT(*max, 100);
  for (float height : heights) EXPECT_LE(height, kSide);
}

TEST_F(AugmentTest, TheSameSeedGivesTheSameView) {
  DetectionAugmentConfig config;
  config.mosaic = 1;
  view({{0, 1, 2, 4}, 4}, config, 5);
  const std::vector<float> first = pixels_;
  view({{0, 1, 2, 4}, 4}, config, 5);
  EXPECT_EQ(pixels_, first);
  view({{0, 1, 2, 4}, 4}, config, 6);
  EXPECT_NE(pixels_, first);
}

TEST_F(AugmentTest, PixelsAreWholeAndInRange) {
  DetectionAugmentConfig config;
  config.dark = config.noise = config.compression = config.gradient = config.erase = 1;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    view({{0, 1, 2, 4}, 4}, config, seed);
    for (float value : pixels_) {
      ASSERT_GE(value, 0);
      ASSERT_LE(value, 255);
      ASSERT_EQ(value, std::round(value));
    }
  }
}

TEST_F(AugmentTest, AMosaicShowsFacesOfAllItsPhotosInTheirTiles) {
  std::size_t faces = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto found = view({{0, 1, 2, 3}, 4}, geometry_only(), seed);
    faces += found.size();
    for (const ViewFace& face : found) {
      EXPECT_GE(face.x, 0);
      EXPECT_LE(face.x + face.width, kSide + 1e-3);
    }
  }
  EXPECT_GT(faces, 60u);
}

TEST_F(AugmentTest, UnsureFacesStayUnsureAndCutOnesBecomeIt) {
  // A view that is far smaller than the enlarged photo cuts its second face, never its chosen one.
  int cut = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (const ViewFace& face : view({{0}, 1}, geometry_only(), seed)) cut += !face.sure;
  }
  EXPECT_EQ(cut, 0);
}

TEST_F(AugmentTest, ShrunkPhotosAreAveraged) {
  // The noise of a photo that becomes a sixth of its size must average out.
  DetectionAugmentConfig config = geometry_only();
  double spread_sum = 0;
  int count = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    view({{4}, 1}, config, seed);  // 300 x 50 px of noise between 50 and 110
    std::vector<float> inside;
    for (float value : pixels_)
      if (value > 60) inside.push_back(value);
    if (inside.size() > 2000) continue;  // shown large
    const double mean =
        std::accumulate(inside.begin(), inside.end(), 0.0) / static_cast<double>(inside.size());
    double spread = 0;
    for (float value : inside) spread += (value - mean) * (value - mean);
    spread_sum += std::sqrt(spread / static_cast<double>(inside.size()));
    ++count;
  }
  ASSERT_GT(count, 0);
  EXPECT_LT(spread_sum / count, 13);  // 17.3 as it is
}

TEST(SwapSides, TurnsEyesAndMouthAround) {
  std::array<float, 10> points{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  swap_sides(points);
  EXPECT_EQ(points, (std::array<float, 10>{2, 3, 0, 1, 4, 5, 8, 9, 6, 7}));
}

TEST(CompressBlocks, KeepsFlatBlocksAndLosesDetail) {
  std::vector<float> flat(16 * 16, 100);
  compress_blocks(flat, 16, 16, 4);
  for (float value : flat) EXPECT_NEAR(value, 100, 0.5);

  std::vector<float> fine;
  for (int i = 0; i < 64; ++i) fine.push_back(128 + (((i % 8) + (i / 8)) % 2 ? 4.f : -4.f));
  std::vector<float> kept = fine;
  compress_blocks(kept, 8, 8, 1e-3f);
  for (std::size_t i = 0; i < 64; ++i) EXPECT_NEAR(kept[i], fine[i], 0.05);
  compress_blocks(fine, 8, 8, 10);
  for (float value : fine) EXPECT_NEAR(value, 128, 2);
}

}  // namespace
}  // namespace fer
