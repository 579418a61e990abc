#include "watch/watch_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "training/watch/watch_faces.h"

namespace fer {
namespace {

using test::watched_face;
using test::watched_frame;

TEST(WatchTally, CountsFramesPeopleAndLabels) {
  WatchInput video;
  video.name = "clip\n.mp4";
  WatchTally tally(video);
  tally.add(watched_frame(0, {watched_face(1, 1), watched_face(2, 1)}));
  tally.add(watched_frame(1, {watched_face(1, 0), watched_face(2, 0, /*unsure=*/true)}));
  tally.add(watched_frame(2, {}));
  tally.add(watched_frame(3, {}));
  WatchResult& result = tally.result();
  result.seconds = 2;
  EXPECT_EQ(result.people, 2u);
  EXPECT_EQ(summary_line(result),
            "clip\\n.mp4: 2.0 s, 4 frames, 2 people, 50 % happiness, 25 % neutral, 25 % unsure; "
            "nobody in 50 % of the frames");
  EXPECT_EQ(speed_text(result, 0.5), "8 frames a second, 4.0 times real time");
  EXPECT_EQ(nlohmann::json(result).get<WatchResult>().labels, result.labels);
}

TEST(WatchTally, FacesOfPhotosAreEachAPersonAndHaveNoTime) {
  WatchInput photo;
  photo.name = "a.jpg";
  photo.kind = WatchKind::kPhoto;
  WatchTally tally(photo);
  tally.add(watched_frame(0, {watched_face(0, 1), watched_face(0, 1)}));
  EXPECT_EQ(summary_line(tally.result()), "a.jpg: 2 faces, 100 % happiness");
  EXPECT_EQ(speed_text(tally.result(), 0.25), "4 pictures a second");
}

TEST(WatchResult, CountsAddUp) {
  WatchResult sum, one;
  one.frames = 3;
  one.seconds = 1.5;
  one.labels["fear"] = 2;
  add_counts(sum, one);
  add_counts(sum, one);
  EXPECT_EQ(sum.frames, 6u);
  EXPECT_EQ(sum.seconds, 3);
  EXPECT_EQ(sum.labels["fear"], 4u);
}

}  // namespace
}  // namespace fer
