#include "model/face_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "error_of.h"
#include "model/safetensors.h"
#include "scoped.h"

namespace fer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

FaceGate small_gate() {
  return {.network = "0123456789ab",
          .blocks = 2,
          .grid = 1,
          .weight = {1, -2},
          .bias = 0.5f,
          .line = 0};
}

TEST(FaceGate, AcceptsFromItsLineOn) {
  const FaceGate gate = small_gate();
  const std::vector<float> on{1.5f, 1}, below{1.4f, 1};
  EXPECT_FLOAT_EQ(gate.score(on), 0);
  EXPECT_TRUE(gate.accepts(on));
  EXPECT_FALSE(gate.accepts(below));
  EXPECT_THROW(gate.score(std::vector<float>{1}), std::invalid_argument);
}

TEST(PooledMap, AveragesOverCellsThatMayOverlap) {
  // One channel of 3 x 3, in 2 x 2 cells: rows and columns 0-1 and 1-2.
  const std::vector<float> map{0, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_THAT(pooled_map(map, 1, 3, 3, 2), ElementsAre(2, 3, 5, 6));
  EXPECT_THAT(pooled_map(std::vector<float>{1, 2, 3, 4, 10, 20, 30, 40}, 2, 2, 2, 1),
              ElementsAre(2.5, 25));
  EXPECT_THROW(pooled_map(map, 2, 3, 3, 2), std::invalid_argument);
}

TEST(FaceGate, ComesBackFromItsFile) {
  const test::ScopedFolder folder;
  const auto path = folder.path() / "a.gate";
  write_face_gate(path, small_gate());
  const FaceGate read = read_face_gate(path);
  EXPECT_EQ(read.network, "0123456789ab");
  EXPECT_EQ(read.blocks, 2);
  EXPECT_EQ(read.grid, 1);
  EXPECT_THAT(read.weight, ElementsAre(1, -2));
  EXPECT_EQ(read.bias, 0.5f);
  EXPECT_EQ(read.line, 0);
}

TEST(FaceGate, RefusesWhatIsNone) {
  const test::ScopedFolder folder;
  const auto path = folder.path() / "a.gate";
  const auto error = [&] { return test::error_of([&] { read_face_gate(path); }); };
  const float weight[] = {1, 2, 3};
  const TensorView three{DType::kF32, {3}, weight, sizeof weight};
  write_safetensors(path, {{"weight", three}}, {{"format", "gst-fer-faces/1"}});
  EXPECT_THAT(error(), HasSubstr("expected a face gate"));
  write_safetensors(path, {{"weight", three}}, {{"format", "gst-fer-gate/1"}, {"gate", "{}"}});
  EXPECT_THAT(error(), HasSubstr("broken"));
  FaceGate uneven = small_gate();
  uneven.grid = 3;
  write_face_gate(path, uneven);
  EXPECT_THAT(error(), HasSubstr("each channel and cell"));
  FaceGate none = small_gate();
  none.weight[1] = std::numeric_limits<float>::infinity();
  write_face_gate(path, none);
  EXPECT_THAT(error(), HasSubstr("no number"));
}

}  // namespace
}  // namespace fer
