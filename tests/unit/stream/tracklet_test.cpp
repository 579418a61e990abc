#include "stream/tracklet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crops.h"

namespace fer {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

constexpr int kSide = 8;
constexpr std::int64_t kFrame = 40'000'000;  // 25 frames a second

FaceSample face(std::int64_t time_ns, std::int64_t track = 1, const std::string& source = "cam",
                double contrast = 20) {
  FaceSample sample;
  sample.crop = test::noisy_crop(kSide, 100, contrast);
  sample.source = source;
  sample.track = track;
  sample.time_ns = time_ns;
  return sample;
}

const std::vector<float> kFirst{0.8f, 0.1f, 0.1f}, kSecond{0.1f, 0.7f, 0.2f};

TEST(TrackletBuilder, MakesOneWordOfASecond) {
  TrackletBuilder builder(TrackletConfig(), kSide);
  std::vector<Evidence> ended;
  for (int i = 0; i < 60; ++i) {
    for (Evidence& e : builder.add(face(i * kFrame), i % 5 == 4 ? kSecond : kFirst))
      ended.push_back(std::move(e));
  }
  ASSERT_EQ(ended.size(), 2u);
  const Evidence& e = ended[0];
  EXPECT_EQ(e.frames, 25);
  EXPECT_EQ(e.source, "cam");
  EXPECT_EQ(e.track, 1);
  EXPECT_EQ(e.begun_ns, 0);
  EXPECT_EQ(e.label, 0);
  EXPECT_FLOAT_EQ(e.majority, 0.8f);
  // Four times away and back, and away in the last frame: 9 changes of 24 pairs.
  EXPECT_FLOAT_EQ(e.flip_rate, 9.f / 24);
  EXPECT_THAT(e.mean, ElementsAre(FloatNear(0.66f, 1e-5f), FloatNear(0.22f, 1e-5f),
                                  FloatNear(0.12f, 1e-5f)));
  EXPECT_EQ(ended[1].begun_ns, 25 * kFrame);
  EXPECT_EQ(builder.open(), 1u);
}

TEST(TrackletBuilder, EndsAtAGap) {
  TrackletBuilder builder(TrackletConfig(), kSide);
  EXPECT_TRUE(builder.add(face(0), kFirst).empty());
  EXPECT_TRUE(builder.add(face(kFrame), kFirst).empty());
  const auto ended = builder.add(face(kFrame + 600'000'000), kFirst);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].frames, 2);
}

TEST(TrackletBuilder, EndsWhereTimeGoesBackwards) {
  TrackletBuilder builder(TrackletConfig(), kSide);
  builder.add(face(1'000'000'000), kFirst);
  EXPECT_EQ(builder.add(face(0), kFirst).size(), 1u);
}

TEST(TrackletBuilder, EndsTracksThatWentSilentButNotThoseOfOtherClocks) {
  TrackletBuilder builder(TrackletConfig(), kSide);
  builder.add(face(0, 1), kFirst);
  builder.add(face(0, 2), kSecond);
  builder.add(face(0, 1, "door"), kFirst);
  auto ended = builder.add(face(300'000'000, 1), kFirst);
  EXPECT_TRUE(ended.empty());
  ended = builder.add(face(700'000'000, 1), kFirst);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].track, 2);
  EXPECT_EQ(builder.open(), 2u);
  EXPECT_EQ(builder.end("door").size(), 1u);
  EXPECT_EQ(builder.end().size(), 1u);
  EXPECT_EQ(builder.open(), 0u);
}

TEST(TrackletBuilder, TakesFacesWithoutATrackOneByOne) {
  TrackletBuilder builder(TrackletConfig(), kSide);
  for (int i = 0; i < 3; ++i) {
    const auto ended = builder.add(face(i * kFrame, -1), kSecond);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].frames, 1);
    EXPECT_EQ(ended[0].label, 1);
    EXPECT_EQ(ended[0].flip_rate, 0);
  }
}

TEST(TrackletBuilder, KeepsTheSharpestCrops) {
  TrackletConfig config;
  config.keep = 2;
  TrackletBuilder builder(config, kSide);
  for (double contrast : {10.0, 50.0, 5.0, 30.0}) builder.add(face(0, 1, "cam", contrast), kFirst);
  const auto ended = builder.end();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_THAT(ended[0].crops,
              ElementsAre(test::noisy_crop(kSide, 100, 50), test::noisy_crop(kSide, 100, 30)));
}

TEST(TrackletBuilder, RefusesWhatSaysTooLittle) {
  TrackletConfig config;
  config.min_frames = 4;
  TrackletBuilder builder(config, kSide);
  builder.add(face(0), kFirst);
  EXPECT_EQ(builder.refuse(builder.end().at(0)), Refusal::kShort);
  for (int i = 0; i < 6; ++i) builder.add(face(i * kFrame), i % 2 ? kFirst : kSecond);
  EXPECT_EQ(builder.refuse(builder.end().at(0)), Refusal::kDisagreement);
  for (int i = 0; i < 6; ++i) builder.add(face(i * kFrame), kFirst);
  EXPECT_EQ(builder.refuse(builder.end().at(0)), std::nullopt);
}

TEST(TrackletBuilder, IsBoundedWhateverTracksCome) {
  TrackletBuilder builder(TrackletConfig(), kSide);
  std::size_t ended = 0;
  for (int i = 0; i < 1000; ++i) ended += builder.add(face(0, i), kFirst).size();
  EXPECT_LE(builder.open(), 256u);
  EXPECT_EQ(ended + builder.open(), 1000u);
}

TEST(Evidence, AgreesWhereItsFramesDo) {
  Evidence e;
  e.majority = 0.9f;
  e.flip_rate = 0.1f;
  EXPECT_TRUE(e.agrees(TrackletConfig()));
  e.flip_rate = 0.5f;
  EXPECT_FALSE(e.agrees(TrackletConfig()));
  e.flip_rate = 0;
  e.majority = 0.55f;
  EXPECT_FALSE(e.agrees(TrackletConfig()));
}

}  // namespace
}  // namespace fer
