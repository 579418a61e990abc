#include "face-sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr GstClockTime kInterval = 200 * GST_MSECOND;

FaceRecord face(guint64 track) {
  FaceRecord face;
  face.track_id = track;
  return face;
}

/// The tracks that are due.
std::vector<guint64> due(FaceSampler& sampler, std::vector<FaceRecord> faces, GstClockTime time,
                         GstClockTime interval = kInterval) {
  std::vector<guint64> tracks;
  for (const FaceRecord* one : sampler.due(faces, time, interval)) tracks.push_back(one->track_id);
  return tracks;
}

TEST(FaceSampler, TakesATrackOnceAnInterval) {
  FaceSampler sampler;
  EXPECT_THAT(due(sampler, {face(1)}, 0), ElementsAre(1));
  EXPECT_THAT(due(sampler, {face(1), face(2)}, 100 * GST_MSECOND), ElementsAre(2));
  EXPECT_THAT(due(sampler, {face(1), face(2)}, 199 * GST_MSECOND), IsEmpty());
  EXPECT_THAT(due(sampler, {face(1), face(2)}, 200 * GST_MSECOND), ElementsAre(1));
  EXPECT_THAT(due(sampler, {face(1), face(2)}, 300 * GST_MSECOND), ElementsAre(2));
}

TEST(FaceSampler, TakesFacesWithoutATrackTogether) {
  FaceSampler sampler;
  EXPECT_THAT(due(sampler, {face(0), face(0)}, 0), ElementsAre(0, 0));
  EXPECT_THAT(due(sampler, {face(0)}, 100 * GST_MSECOND), IsEmpty());
  EXPECT_THAT(due(sampler, {face(0)}, kInterval), ElementsAre(0));
}

TEST(FaceSampler, TakesAllWithoutAnInterval) {
  FaceSampler sampler;
  for (int i = 0; i < 3; ++i) EXPECT_THAT(due(sampler, {face(1)}, 5, 0), ElementsAre(1));
}

TEST(FaceSampler, BeginsAnewWhereTimeRunsBackwards) {
  FaceSampler sampler;
  EXPECT_THAT(due(sampler, {face(1)}, 10 * GST_SECOND), ElementsAre(1));
  EXPECT_THAT(due(sampler, {face(1)}, 1 * GST_SECOND), ElementsAre(1));
  EXPECT_THAT(due(sampler, {face(1)}, 1 * GST_SECOND + 1), IsEmpty());
  sampler.clear();
  EXPECT_THAT(due(sampler, {face(1)}, 1 * GST_SECOND + 2), ElementsAre(1));
}

TEST(FaceSampler, KeepsABoundedNumberOfTracksInMind) {
  FaceSampler sampler;
  for (guint64 track = 1; track <= FaceSampler::kMaxTracks; ++track) {
    EXPECT_THAT(due(sampler, {face(track)}, 0), ElementsAre(track));
  }
  EXPECT_THAT(due(sampler, {face(1)}, 1), IsEmpty());
  EXPECT_THAT(due(sampler, {face(99999)}, 1), ElementsAre(99999));
  EXPECT_THAT(due(sampler, {face(1)}, 1), ElementsAre(1)) << "all were forgotten";
}

}  // namespace
}  // namespace fer
