#include "stream/learner_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using testing::ElementsAre;

FaceSample face(const std::string& source, std::int64_t track = 0) {
  FaceSample sample;
  sample.source = source;
  sample.track = track;
  return sample;
}

std::vector<std::int64_t> tracks(const std::vector<LearnerQueue::Entry>& entries) {
  std::vector<std::int64_t> all;
  for (const auto& entry : entries) all.push_back(entry.face.track);
  return all;
}

TEST(LearnerQueue, PushesTheOldestFaceOut) {
  LearnerQueue queue(2);
  for (int track = 1; track <= 4; ++track) EXPECT_TRUE(queue.push_face(face("cam", track)));
  EXPECT_EQ(queue.faces(), 2u);
  EXPECT_EQ(queue.dropped(), 2u);
  EXPECT_THAT(tracks(queue.pop(10)), ElementsAre(3, 4));
  EXPECT_TRUE(queue.empty());
}

TEST(LearnerQueue, KeepsEnds) {
  LearnerQueue queue(1);
  queue.push_end("cam");
  EXPECT_TRUE(queue.push_face(face("cam", 2)));
  EXPECT_TRUE(queue.push_face(face("cam", 3)));
  const auto entries = queue.pop(10);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_TRUE(entries[0].end);
  EXPECT_EQ(entries[1].face.track, 3);
}

TEST(LearnerQueue, TakesOneEndUntilAFaceFollows) {
  LearnerQueue queue(4);
  queue.push_end("cam");
  queue.push_end("cam");
  queue.push_end("door");
  queue.push_face(face("cam"));
  queue.push_end("cam");
  EXPECT_EQ(queue.pop(10).size(), 4u);
}

TEST(LearnerQueue, GivesNoMoreThanAskedFor) {
  LearnerQueue queue(4);
  for (int track = 1; track <= 3; ++track) queue.push_face(face("cam", track));
  EXPECT_THAT(tracks(queue.pop(2)), ElementsAre(1, 2));
  EXPECT_EQ(queue.faces(), 1u);
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.dropped(), 1u);
}

TEST(LearnerQueue, EvidenceOfOtherMachinesWaitsAmongTheFaces) {
  LearnerQueue queue(2);
  Evidence evidence;
  evidence.source = "far";
  EXPECT_TRUE(queue.push_face(face("cam", 1)));
  EXPECT_TRUE(queue.push_evidence(evidence, 60));
  queue.push_end("far");  // Of a stream here that has the name of one elsewhere.
  EXPECT_EQ(queue.faces(), 2u);
  EXPECT_TRUE(queue.push_evidence(evidence, 61));  // Pushes the face out.
  EXPECT_EQ(queue.dropped(), 1u);
  const auto entries = queue.pop(10);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].age_s, 60);
  ASSERT_TRUE(entries[0].evidence);
  EXPECT_FALSE(entries[0].is_stream_face());
  EXPECT_TRUE(entries[1].end);
  EXPECT_EQ(entries[2].evidence->source, "far");
  EXPECT_EQ(queue.faces(), 0u);
}

}  // namespace
}  // namespace fer
