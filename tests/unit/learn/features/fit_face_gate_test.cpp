#include "learn/features/fit_face_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "error_of.h"

namespace fer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// 3 x 3 pixels, or tiles of one pixel.
std::vector<std::uint8_t> nine() {
  std::vector<std::uint8_t> crop(9);
  std::iota(crop.begin(), crop.end(), std::uint8_t{0});
  return crop;
}

TEST(NonFace, StandsOnItsHead) {
  EXPECT_THAT(non_face(nine(), 1, 3, NonFace::kUpsideDown, Random(1)),
              ElementsAre(6, 7, 8, 3, 4, 5, 0, 1, 2));
}

TEST(NonFace, HasAllTilesAndNoneAtItsPlace) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto shuffled = non_face(nine(), 1, 3, NonFace::kShuffled, Random(seed));
    for (std::uint8_t i = 0; i < 9; ++i) EXPECT_NE(shuffled[i], i) << seed;
    auto sorted = shuffled;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, nine());
  }
}

TEST(NonFace, ShufflesAllChannelsAlikeAndKeepsWhatIsLeftOver) {
  std::vector<std::uint8_t> crop;
  for (int c = 0; c < 2; ++c)
    for (int i = 0; i < 16; ++i) crop.push_back(static_cast<std::uint8_t>(100 * c + i));
  const auto shuffled = non_face(crop, 2, 4, NonFace::kShuffled, Random(3));
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(shuffled[16 + i], shuffled[i] + 100);
  for (const std::size_t i : {3u, 7u, 11u, 12u, 13u, 14u, 15u}) EXPECT_EQ(shuffled[i], crop[i]);
}

TEST(FaceGate, TellsFacesFromTheirCopiesAndLosesATenth) {
  torch::manual_seed(1);
  // Faces about 2 on the first feature, copies about -2; the second says nothing.
  const torch::Tensor faces = torch::randn({200, 2}) + torch::tensor({2.0, 0.0});
  const torch::Tensor copies = torch::randn({2, 200, 2}) - torch::tensor({2.0, 0.0});
  const FittedFaceGate fitted = fit_face_gate(faces, copies);
  EXPECT_NEAR(fitted.faces_kept, 0.9, 0.006);
  EXPECT_LT(fitted.non_faces_accepted, 0.02);
  const torch::Tensor others = torch::randn({1000, 2}) + torch::tensor({2.0, 0.0});
  EXPECT_NEAR(accepted_by(fitted.gate, others).to(torch::kFloat).mean().item<float>(), 0.9, 0.06);
  EXPECT_LT(accepted_by(fitted.gate, others - torch::tensor({4.0, 0.0}))
                .to(torch::kFloat)
                .mean()
                .item<float>(),
            0.02);
}

TEST(FaceGate, ScoresAsItsTensorsDo) {
  torch::manual_seed(2);
  const torch::Tensor maps = torch::randn({20, 4, 5, 5}) + 1;
  const torch::Tensor pooled = pooled_maps(maps, 3).contiguous();
  const FittedFaceGate fitted = fit_face_gate(pooled, -pooled.unsqueeze(0));
  const torch::Tensor accepted = accepted_by(fitted.gate, pooled);
  for (std::int64_t i = 0; i < 20; ++i) {
    const torch::Tensor map = maps[i].contiguous();
    const std::vector<float> cells =
        pooled_map({map.data_ptr<float>(), static_cast<std::size_t>(map.numel())}, 4, 5, 5, 3);
    ASSERT_EQ(cells.size(), 36u);
    for (std::size_t k = 0; k < 36; ++k)
      EXPECT_NEAR(cells[k], pooled[i][static_cast<std::int64_t>(k)].item<float>(), 1e-5);
    EXPECT_EQ(fitted.gate.accepts(cells), accepted[i].item<bool>()) << i;
  }
}

TEST(FaceGate, NeedsAFaceForEachFold) {
  EXPECT_THAT(test::error_of([] {
                fit_face_gate(torch::ones({4, 2}), torch::ones({1, 4, 2}));
              }),
              testing::AllOf(HasSubstr("at least 5"), HasSubstr("found 4")));
}

}  // namespace
}  // namespace fer
