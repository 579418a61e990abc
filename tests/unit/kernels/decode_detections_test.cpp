#include "kernels/decode_detections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "unit/kernels/detector_maps.h"

namespace fer::kernels {
namespace {

using testing::HasSubstr;

/// The faces of one frame by the decoder that the detector uses.
std::vector<GridCandidate> by_vision(const test::DetectorMaps& maps, int frame) {
  std::vector<GridCandidate> guesses;
  for (int level = 0; level < 3; ++level) {
    const int rows = maps.decode.rows >> level, columns = maps.decode.columns >> level;
    decode_cells(maps.maps[static_cast<std::size_t>(level)].data() +
                     static_cast<std::ptrdiff_t>(frame) * kCellValues * rows * columns,
                 rows, columns, kCellStrides[static_cast<std::size_t>(level)],
                 maps.decode.min_score, guesses);
  }
  return best_candidates(guesses);
}

TEST(DecodeDetections, FindsWhatTheDetectorFinds) {
  for (const float share : {0.f, 0.01f, 0.2f}) {
    test::DetectorMaps maps(3, 12, 20, 7, share);
    decode_detections(maps.pointed());
    for (int frame = 0; frame < 3; ++frame) {
      const std::vector<GridCandidate> expected = by_vision(maps, frame);
      EXPECT_EQ(expected.empty(), share == 0);
      ASSERT_EQ(maps.face_counts[static_cast<std::size_t>(frame)],
                static_cast<int>(expected.size()));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const GridCandidate& face = maps.face(frame, static_cast<int>(i));
        EXPECT_EQ(face.score, expected[i].score);
        EXPECT_EQ(face.x, expected[i].x);
        EXPECT_EQ(face.height, expected[i].height);
        EXPECT_EQ(face.points, expected[i].points);
      }
    }
  }
}

TEST(DecodeDetections, KeepsTheBestWhereThereIsLittleRoom) {
  test::DetectorMaps maps(1, 12, 20, 7, 0.2f);
  maps.resize_room(2);
  decode_detections(maps.pointed());
  EXPECT_EQ(maps.face_counts[0], 2);
  EXPECT_EQ(maps.face(0, 1).score, by_vision(maps, 0)[1].score);
}

TEST(DecodeDetections, LeavesOutWhatIsNotFinite) {
  test::DetectorMaps maps(1, 4, 4, 1, 0);
  maps.maps[0][0] = 5;                                        // A score, at the first cell …
  maps.maps[0][16] = std::numeric_limits<float>::infinity();  // … of a face that is nowhere.
  decode_detections(maps.pointed());
  EXPECT_EQ(maps.face_counts[0], 0);
  EXPECT_EQ(maps.guess_counts[0], 0);
}

TEST(DecodeDetections, CountsGuessesThatItDoesNotLookAt) {
  test::DetectorMaps maps(1, 64, 80, 3, 1);
  decode_detections(maps.pointed());
  EXPECT_EQ(maps.guess_counts[0], 64 * 80 + 32 * 40 + 16 * 20);
  EXPECT_GT(maps.guess_counts[0], kMaxGuesses);
  EXPECT_GT(maps.face_counts[0], 0);
}

TEST(DecodeDetections, SaysWhatIsMissing) {
  test::DetectorMaps maps(1, 4, 4, 1, 0);
  const auto error_of = [&](auto change) -> std::string {
    DecodeDetections decode = maps.pointed();
    change(decode);
    try {
      decode_detections(decode);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of([](DecodeDetections&) {}), "");
  EXPECT_EQ(error_of([](DecodeDetections& d) { d.count = 0; }), "");
  EXPECT_THAT(error_of([](DecodeDetections& d) { d.rows = 6; }), HasSubstr("found 6 x 4"));
  EXPECT_THAT(error_of([](DecodeDetections& d) { d.maps[1] = nullptr; }), HasSubstr("maps"));
}

}  // namespace
}  // namespace fer::kernels
