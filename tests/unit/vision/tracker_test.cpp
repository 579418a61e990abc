#include "vision/tracker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

namespace fer {
namespace {

/// A face with its centre here, `size` wide and a quarter higher, landmarks in the usual places.
Face face_at(float x, float y, float size = 80, float score = 0.9f) {
  Face face;
  face.box = {x - size / 2, y - size * 0.625f, size, size * 1.25f};
  face.score = score;
  face.landmarks = Landmarks{cv::Point2f{x - size * 0.2f, y - size * 0.1f},
                             {x + size * 0.2f, y - size * 0.1f},
                             {x, y + size * 0.1f},
                             {x - size * 0.15f, y + size * 0.3f},
                             {x + size * 0.15f, y + size * 0.3f}};
  return face;
}

cv::Point2f centre(const Face& face) {
  return (face.box.tl() + face.box.br()) / 2;
}

TEST(Tracker, NothingGivesNothing) {
  Tracker tracker;
  EXPECT_TRUE(tracker.update({}).empty());
  EXPECT_TRUE(tracker.predict().empty());
}

TEST(Tracker, ReportsDetectionsAsTheyAre) {
  Tracker tracker;
  const Face face = face_at(100, 100);
  const auto seen = tracker.update({face});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].track_id, 1u);
  EXPECT_EQ(seen[0].box, face.box);
  EXPECT_EQ(seen[0].score, face.score);
  EXPECT_EQ(seen[0].landmarks, face.landmarks);
}

TEST(Tracker, IdsFollowMovingAndGrowingFaces) {
  Tracker tracker;
  for (int frame = 0; frame < 60; ++frame) {
    const auto t = static_cast<float>(frame);
    const auto seen =
        tracker.update({face_at(100 + 8 * t, 100, 60 + t), face_at(900 - 6 * t, 400, 90)});
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[0].track_id, 1u);
    EXPECT_EQ(seen[1].track_id, 2u);
  }
}

TEST(Tracker, OrderOfDetectionsDoesNotMatter) {
  Tracker tracker;
  tracker.update({face_at(100, 100), face_at(400, 100)});
  const auto seen = tracker.update({face_at(402, 100), face_at(101, 100)});
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].track_id, 2u);
  EXPECT_EQ(seen[1].track_id, 1u);
}

TEST(Tracker, SameIdAfterAShortGap) {
  Tracker tracker;
  float x = 100;
  for (int frame = 0; frame < 20; ++frame, x += 5) tracker.update({face_at(x, 200)});
  for (int frame = 0; frame < 15; ++frame, x += 5) EXPECT_TRUE(tracker.update({}).empty());
  const auto seen = tracker.update({face_at(x, 200)});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].track_id, 1u);
}

TEST(Tracker, NewIdAfterALongGap) {
  Tracker tracker({.max_age = 10});
  tracker.update({face_at(100, 100)});
  for (int frame = 0; frame < 10; ++frame) tracker.update({});
  EXPECT_EQ(tracker.update({face_at(100, 100)}).at(0).track_id, 1u) << "10 frames are not too many";
  for (int frame = 0; frame < 11; ++frame) tracker.update({});
  EXPECT_EQ(tracker.update({face_at(100, 100)}).at(0).track_id, 2u);
}

TEST(Tracker, LostTracksAreNotReported) {
  Tracker tracker;
  tracker.update({face_at(100, 100), face_at(400, 100)});
  tracker.update({face_at(100, 100)});
  const auto believed = tracker.predict();
  ASSERT_EQ(believed.size(), 1u);
  EXPECT_EQ(believed[0].track_id, 1u);
}

TEST(Tracker, FacesThatMayBeMissedStay) {
  Tracker tracker({.max_age = 10});
  const float between = face_at(0, 0, 60).box.height;  // the first face is smaller, the second not
  for (int frame = 0; frame < 5; ++frame) {
    const auto x = static_cast<float>(100 + 3 * frame);
    tracker.update({face_at(x, 100, 40), face_at(400, 100, 80)});
  }
  for (int frame = 5; frame < 15; ++frame) {
    const auto stay = tracker.update({}, between);
    ASSERT_EQ(stay.size(), 1u) << frame;
    EXPECT_EQ(stay[0].track_id, 1u);
    EXPECT_NEAR(centre(stay[0]).x, 100 + 3 * frame, 3) << "moves on as it did";
  }
  EXPECT_TRUE(tracker.update({}, between).empty()) << "not longer than max_age";
  EXPECT_TRUE(tracker.predict().empty());
}

TEST(Tracker, FacesThatAreFoundAllTheSameAreGoneWhenTheyAreNot) {
  Tracker tracker;
  for (int frame = 0; frame < 4; ++frame) tracker.update({face_at(100, 100, 40)}, 60);
  EXPECT_TRUE(tracker.update({}, 60).empty());
}

TEST(Tracker, FacesThatMayBeMissedComeAfterThoseThatAreSeen) {
  Tracker tracker;
  tracker.update({face_at(100, 100, 40), face_at(400, 100, 80)});
  const auto faces = tracker.update({face_at(401, 100, 80)}, 60);
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_EQ(faces[0].track_id, 2u);
  EXPECT_EQ(faces[1].track_id, 1u);
}

TEST(Tracker, FacesThatMayBeMissedGoWhereAnotherAppears) {
  Tracker tracker;
  tracker.update({face_at(100, 100, 40)});
  // Too far away to be the same, not far enough to stand beside it.
  const auto faces = tracker.update({face_at(132, 100, 40)}, 60);
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_EQ(faces[0].track_id, 2u);
}

TEST(Tracker, KeepsIdsThroughDetectionIntervals) {
  Tracker tracker;
  constexpr int kInterval = 5;
  for (int frame = 0; frame < 100; ++frame) {
    const float x = 100 + 6.f * static_cast<float>(frame);
    if (frame % kInterval == 0) {
      const auto seen = tracker.update({face_at(x, 100)});
      ASSERT_EQ(seen.size(), 1u);
      EXPECT_EQ(seen[0].track_id, 1u);
    } else {
      const auto believed = tracker.predict();
      ASSERT_EQ(believed.size(), 1u);
      EXPECT_EQ(believed[0].track_id, 1u);
      // Once its speed is known, the face is where it should be, its landmarks too.
      if (frame > 4 * kInterval) {
        EXPECT_NEAR(centre(believed[0]).x, x, 5);
        EXPECT_NEAR(centre(believed[0]).y, 100, 1);
        const Face wanted = face_at(x, 100);
        for (std::size_t i = 0; i < 5; ++i) {
          EXPECT_NEAR((*believed[0].landmarks)[i].x, (*wanted.landmarks)[i].x, 5);
          EXPECT_NEAR((*believed[0].landmarks)[i].y, (*wanted.landmarks)[i].y, 2);
        }
      }
    }
  }
}

TEST(Tracker, PredictionsKeepTheDistanceOfLandmarksToTheBox) {
  Tracker tracker;
  for (int frame = 0; frame < 10; ++frame) {
    tracker.update({face_at(100 + 4.f * static_cast<float>(frame), 100)});
  }
  const TrackedFace believed = tracker.predict().at(0);
  const Face wanted = face_at(0, 0);
  for (std::size_t i = 0; i < 5; ++i) {
    const cv::Point2f share((*believed.landmarks)[i].x - believed.box.x,
                            (*believed.landmarks)[i].y - believed.box.y);
    EXPECT_NEAR(share.x / believed.box.width, ((*wanted.landmarks)[i].x - wanted.box.x) / 80, 0.01);
    EXPECT_NEAR(share.y / believed.box.height, ((*wanted.landmarks)[i].y - wanted.box.y) / 100,
                0.01);
  }
}

TEST(Tracker, FacesThatCrossKeepTheirIds) {
  // Two faces pass each other at different heights; in the middle the detector sees only the front
  // one.
  Tracker tracker;
  for (int frame = 0; frame < 60; ++frame) {
    const auto t = static_cast<float>(frame);
    const float right = 100 + 8 * t, left = 580 - 8 * t;
    std::vector<Face> detections = {face_at(right, 200)};
    const bool hidden = std::abs(right - left) < 50;
    if (!hidden) detections.push_back(face_at(left, 215));
    const auto seen = tracker.update(detections);
    ASSERT_EQ(seen.size(), detections.size()) << frame;
    EXPECT_EQ(seen[0].track_id, 1u) << frame;
    if (!hidden) {
      EXPECT_EQ(seen[1].track_id, 2u) << frame;
    }
  }
}

TEST(Tracker, WeakDetectionsCarryOnButDoNotStart) {
  Tracker tracker;
  EXPECT_TRUE(tracker.update({face_at(100, 100, 80, 0.3f)}).empty());
  tracker.update({face_at(100, 100)});
  const auto seen = tracker.update({face_at(102, 100, 80, 0.3f)});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].track_id, 1u);
  EXPECT_FLOAT_EQ(seen[0].score, 0.3f);
  // Out of sight it takes a strong one.
  tracker.update({});
  EXPECT_TRUE(tracker.update({face_at(102, 100, 80, 0.3f)}).empty());
  EXPECT_EQ(tracker.update({face_at(102, 100)}).at(0).track_id, 1u);
}

TEST(Tracker, WeakDetectionDoesNotTakeAStrongOnesTrack) {
  Tracker tracker;
  tracker.update({face_at(100, 100)});
  const auto seen = tracker.update({face_at(100, 100, 80, 0.3f), face_at(115, 100, 80, 0.9f)});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].track_id, 1u);
  EXPECT_FLOAT_EQ(seen[0].score, 0.9f);
}

TEST(Tracker, ATrackWhoseScoreStaysWeakIsReportedNoMore) {
  Tracker tracker({.settle_runs = 10});
  // A logo: now and then over the threshold of 0.6, mostly below it.
  const auto logo = [](int run) { return face_at(100, 100, 80, run % 4 == 0 ? 0.65f : 0.45f); };
  int reported = 0;
  for (int run = 0; run < 100; ++run)
    reported += static_cast<int>(tracker.update({logo(run)}).size());
  EXPECT_GE(reported, 10) << "it may be a face at first";
  EXPECT_LE(reported, 20);
  EXPECT_TRUE(tracker.predict().empty());
  // The same place, but a face after all: the same track.
  std::vector<TrackedFace> seen;
  for (int run = 0; run < 12; ++run) seen = tracker.update({face_at(100, 100)});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].track_id, 1u);
}

TEST(Tracker, AFaceThatIsWeakForAMomentStays) {
  Tracker tracker({.settle_runs = 10});
  for (int run = 0; run < 20; ++run) tracker.update({face_at(100, 100)});
  for (int run = 0; run < 10; ++run) {
    EXPECT_EQ(tracker.update({face_at(100, 100, 80, 0.4f)}).size(), 1u) << run;
  }
}

TEST(Tracker, AfterAPauseAFaceIsTheSameWhereItWas) {
  Tracker tracker;
  for (int run = 0; run < 5; ++run) {
    tracker.update({face_at(100 + 8 * static_cast<float>(run), 100), face_at(500, 100)});
  }
  tracker.pause();
  const auto seen = tracker.update({face_at(135, 102), face_at(560, 100), face_at(300, 100)});
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].track_id, 1u);
  EXPECT_EQ(seen[1].track_id, 3u) << "elsewhere: another face";
  EXPECT_EQ(seen[2].track_id, 4u);
}

TEST(Tracker, AfterAPauseAFaceThatIsGoneIsForgotten) {
  Tracker tracker;
  tracker.update({face_at(100, 100)});
  tracker.pause();
  EXPECT_TRUE(tracker.update({}).empty());
  EXPECT_EQ(tracker.update({face_at(100, 100)}).at(0).track_id, 2u);
}

TEST(Tracker, ScalesWithThePicture) {
  Tracker tracker;
  for (int run = 0; run < 5; ++run)
    tracker.update({face_at(100 + 4 * static_cast<float>(run), 100)});
  tracker.scale(2.5f);
  const auto predicted = tracker.predict();
  ASSERT_EQ(predicted.size(), 1u);
  EXPECT_NEAR(centre(predicted[0]).x, 300, 6);
  EXPECT_NEAR(predicted[0].box.width, 200, 1);
  EXPECT_NEAR((*predicted[0].landmarks)[2].y, 270, 3);
  EXPECT_EQ(tracker.update({face_at(310, 250, 200)}).at(0).track_id, 1u);
}

TEST(Tracker, MinHitsHoldsBackWhatFlickers) {
  Tracker tracker({.min_hits = 3});
  EXPECT_TRUE(tracker.update({face_at(100, 100)}).empty());
  EXPECT_TRUE(tracker.predict().empty());
  tracker.update({});  // given up
  EXPECT_TRUE(tracker.update({face_at(100, 100)}).empty());
  EXPECT_TRUE(tracker.update({face_at(100, 100)}).empty());
  EXPECT_EQ(tracker.update({face_at(100, 100)}).at(0).track_id, 1u);
}

TEST(Tracker, ResetForgetsButNeverReusesIds) {
  Tracker tracker;
  tracker.update({face_at(100, 100)});
  tracker.reset();
  EXPECT_TRUE(tracker.predict().empty());
  EXPECT_EQ(tracker.update({face_at(100, 100)}).at(0).track_id, 2u);
}

TEST(Tracker, SettingsMayChangeWhileTracksGoOn) {
  Tracker tracker;
  ASSERT_EQ(tracker.update({face_at(100, 100)}).size(), 1u);
  tracker.configure({.high_score = 0.95f, .max_age = 2});
  // Weak now, so that one carries on and the other starts nothing.
  const auto seen = tracker.update({face_at(102, 100), face_at(500, 100)});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].track_id, 1u);
  for (int frame = 0; frame < 3; ++frame) tracker.update({});
  tracker.configure({});
  EXPECT_EQ(tracker.update({face_at(102, 100)}).at(0).track_id, 2u);
}

TEST(Tracker, IgnoresDegenerateDetections) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Tracker tracker;
  std::vector<Face> garbage(8);
  for (Face& face : garbage) face = face_at(100, 100);
  garbage[0].box.width = 0;
  garbage[1].box.height = -5;
  garbage[2].box.x = kNan;
  garbage[3].box.y = kInf;
  garbage[4].box.width = kInf;
  garbage[5].score = kNan;
  garbage[6].box = {};
  garbage[7] = face_at(300, 300);
  const auto seen = tracker.update(garbage);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].box, garbage[7].box);
}

TEST(Tracker, StaysFiniteWithExtremeBoxes) {
  Tracker tracker;
  for (const float size : {1e-30f, 1e-3f, 1.f, 1e6f, 1e15f}) {
    tracker.update({face_at(size, size, size), face_at(-1e20f, 1e20f, 10)});
    for (int frame = 0; frame < 5; ++frame) {
      for (const TrackedFace& face : tracker.predict()) {
        EXPECT_TRUE(std::isfinite(face.box.x) && std::isfinite(face.box.y) &&
                    std::isfinite(face.box.width) && std::isfinite(face.box.height));
      }
    }
  }
}

TEST(Tracker, TwoHundredFacesKeepTheirIds) {
  Tracker tracker;
  std::mt19937 random(3);
  std::normal_distribution<float> tremble(0, 2);
  for (int frame = 0; frame < 30; ++frame) {
    std::vector<Face> detections;
    for (int i = 0; i < 200; ++i) {
      const auto column = static_cast<float>(i % 20), row = static_cast<float>(i / 20);
      detections.push_back(face_at(50 + column * 90 + tremble(random) + static_cast<float>(frame),
                                   60 + row * 110 + tremble(random)));
    }
    const auto seen = tracker.update(detections);
    ASSERT_EQ(seen.size(), 200u);
    std::set<std::uint64_t> ids;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(seen[i].track_id, i + 1);
      ids.insert(seen[i].track_id);
    }
    EXPECT_EQ(ids.size(), 200u);
  }
}

TEST(TrackerExpects, WhatTheNextUpdateFindsThere) {
  Tracker tracker;
  const auto at = [](float x) {
    Face face;
    face.box = {x, 100, 80, 100};
    face.score = 0.9f;
    return face;
  };
  EXPECT_TRUE(tracker.expected().empty());
  for (int frame = 0; frame < 10; ++frame)
    tracker.update({at(100 + 6 * static_cast<float>(frame))});
  const auto expected = tracker.expected();
  ASSERT_EQ(expected.size(), 1u);
  EXPECT_EQ(expected[0].track_id, 1u);
  EXPECT_NEAR(expected[0].box.x, 160, 4);
  EXPECT_EQ(tracker.expected()[0].box, expected[0].box) << "asking changes nothing";
  EXPECT_EQ(tracker.predict()[0].box, expected[0].box);
  tracker.update({});
  EXPECT_TRUE(tracker.expected().empty()) << "out of sight";
}

}  // namespace
}  // namespace fer
