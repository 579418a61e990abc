#include "stream/gates.h"

#include <gtest/gtest.h>

#include "crops.h"

namespace fer {
namespace {

constexpr int kSide = 16;

FaceSample good_face() {
  FaceSample face;
  face.crop = test::noisy_crop(kSide, 120, 40);
  face.confidence = 0.9f;
  face.face_size = 80;
  return face;
}

TEST(Gates, LetAGoodFacePass) {
  EXPECT_EQ(refuse_face(good_face(), kSide, {}), std::nullopt);
}

TEST(Gates, SayWhyTheyRefuse) {
  FaceSample face = good_face();
  face.confidence = 0.3f;
  EXPECT_EQ(refuse_face(face, kSide, {}), Refusal::kUnsure);
  face = good_face();
  face.face_size = 12;
  EXPECT_EQ(refuse_face(face, kSide, {}), Refusal::kSmall);
  face = good_face();
  face.crop = test::noisy_crop(kSide, 8, 8);
  EXPECT_EQ(refuse_face(face, kSide, {}), Refusal::kDark);
  face.crop = test::noisy_crop(kSide, 248, 6);
  EXPECT_EQ(refuse_face(face, kSide, {}), Refusal::kBright);
  face.crop = test::noisy_crop(kSide, 120, 0);
  EXPECT_EQ(refuse_face(face, kSide, {}), Refusal::kBlurred);
}

TEST(Gates, TakeAnUnknownSizeForGood) {
  FaceSample face = good_face();
  face.face_size = 0;
  EXPECT_EQ(refuse_face(face, kSide, {}), std::nullopt);
}

TEST(Gates, MeasureSharpnessAsTheMeanLaplacian) {
  // One bright pixel: 4·100 there, 100 at each of its four neighbours, over 3 x 3 inner pixels.
  std::vector<std::uint8_t> crop(25, 50);
  crop[12] = 150;
  EXPECT_FLOAT_EQ(sharpness_of(crop, 5), 800.f / 9);
  EXPECT_EQ(sharpness_of(std::vector<std::uint8_t>(25, 50), 5), 0);
}

TEST(Gates, LookAtAllPlanes) {
  std::vector<std::uint8_t> crop(75, 50);
  crop[62] = 150;  // in the third plane alone
  EXPECT_FLOAT_EQ(sharpness_of(crop, 5), 800.f / 27);
}

TEST(Gates, HaveANameForEachReason) {
  EXPECT_STREQ(name_of(Refusal::kUnsure), "unsure");
  EXPECT_STREQ(name_of(Refusal::kDisagreement), "disagreement");
}

}  // namespace
}  // namespace fer
