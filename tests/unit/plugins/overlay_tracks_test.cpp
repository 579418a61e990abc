#include "overlay-tracks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

FaceRecord face(guint64 track, std::vector<float> probabilities, int label_id,
                std::vector<std::string> labels = {"calm", "glad", "sad"}) {
  FaceRecord record;
  record.track_id = track;
  record.x = record.y = record.w = record.h = 0.25;
  Expression& expression = record.expression.emplace();
  expression.label_id = label_id;
  expression.label = labels.empty() ? "named" : labels[static_cast<std::size_t>(label_id)];
  expression.probabilities = std::move(probabilities);
  expression.labels = std::move(labels);
  return record;
}

TEST(ShownTracks, ShowsTheFirstFrameAsItIs) {
  ShownTracks tracks;
  const FaceRecord glad = face(1, {0.1f, 0.7f, 0.2f}, 1);
  tracks.update({glad}, 0.9);
  const auto shown = tracks.shown(glad);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->label, "glad");
  EXPECT_EQ(shown->label_id, 1);
  EXPECT_NEAR(*shown->confidence, 0.7, 1e-6);
  EXPECT_THAT(shown->labels, ElementsAre("calm", "glad", "sad"));
}

TEST(ShownTracks, SmoothsEachTrackByItself) {
  ShownTracks tracks;
  const FaceRecord glad = face(1, {0, 1, 0}, 1), sad = face(2, {0, 0, 1}, 2);
  tracks.update({glad, sad}, 0.75);
  const FaceRecord now = face(1, {1, 0, 0}, 0);
  tracks.update({now, sad}, 0.75);
  const auto shown = tracks.shown(now);
  EXPECT_THAT(shown->probabilities,
              ElementsAre(FloatNear(0.25f, 1e-6f), FloatNear(0.75f, 1e-6f), FloatNear(0, 1e-6f)));
  EXPECT_EQ(shown->label, "glad") << "not yet calm";
  EXPECT_NEAR(*shown->confidence, 0.75, 1e-6);
  EXPECT_EQ(tracks.shown(sad)->label, "sad");
  EXPECT_NEAR(*tracks.shown(sad)->confidence, 1, 1e-6);
  for (int i = 0; i < 10; ++i) tracks.update({now}, 0.75);
  EXPECT_EQ(tracks.shown(now)->label, "calm");
  EXPECT_GT(*tracks.shown(now)->confidence, 0.9);
}

TEST(ShownTracks, DoesNotFlickerBetweenEquals) {
  ShownTracks tracks;
  const FaceRecord one = face(1, {0.51f, 0.49f, 0}, 0), other = face(1, {0.49f, 0.51f, 0}, 1);
  tracks.update({one}, 0.5);
  int changes = 0;
  for (int i = 0; i < 40; ++i) {
    const FaceRecord& now = i % 8 < 4 ? other : one;
    tracks.update({now}, 0.5);
    if (tracks.shown(now)->label != "calm") ++changes;
  }
  EXPECT_EQ(changes, 0);
}

TEST(ShownTracks, WithoutSmoothingShowsTheMetadata) {
  ShownTracks tracks;
  tracks.update({face(1, {0, 1, 0}, 1)}, 0);
  // Whoever wrote it may have reasons for a label that is not the likeliest.
  const FaceRecord now = face(1, {0.4f, 0.3f, 0.3f}, 2);
  tracks.update({now}, 0);
  EXPECT_EQ(tracks.shown(now)->label, "sad");
  EXPECT_THAT(tracks.shown(now)->probabilities, ElementsAre(0.4f, 0.3f, 0.3f));
}

TEST(ShownTracks, FacesWithoutTrackAreShownAsTheyAre) {
  ShownTracks tracks;
  tracks.update({face(0, {0, 1, 0}, 1)}, 0.9);
  const FaceRecord now = face(0, {1, 0, 0}, 0);
  tracks.update({now}, 0.9);
  EXPECT_EQ(tracks.shown(now)->label, "calm");
  tracks.memory(now).bars_at = 3;
  EXPECT_EQ(tracks.memory(now).bars_at, -1);
}

TEST(ShownTracks, FaceWithoutExpressionShowsNone) {
  ShownTracks tracks;
  FaceRecord unknown = face(1, {}, 0);
  unknown.expression.reset();
  tracks.update({unknown}, 0.9);
  EXPECT_FALSE(tracks.shown(unknown));
}

TEST(ShownTracks, LabelWithoutProbabilitiesHasNoConfidence) {
  ShownTracks tracks;
  const FaceRecord bare = face(1, {}, 0, {});
  tracks.update({bare}, 0.9);
  tracks.update({bare}, 0.9);
  EXPECT_EQ(tracks.shown(bare)->label, "named");
  EXPECT_FALSE(tracks.shown(bare)->confidence);
}

TEST(ShownTracks, ClassesWithoutNamesAreNumbered) {
  ShownTracks tracks;
  const FaceRecord first = face(1, {0, 1, 0}, 1, {});
  tracks.update({first}, 0.9);
  EXPECT_THAT(tracks.shown(first)->labels, ElementsAre("class 0", "named", "class 2"));
  const FaceRecord now = face(1, {1, 0, 0}, 0, {});
  tracks.update({now}, 0.9);
  EXPECT_EQ(tracks.shown(now)->label, "class 1") << "what is shown still, whose name is gone";
}

TEST(ShownTracks, BeginsAnewWithOtherClasses) {
  ShownTracks tracks;
  tracks.update({face(1, {0, 1, 0}, 1)}, 0.9);
  const FaceRecord now = face(1, {1, 0}, 0, {"no", "yes"});
  tracks.update({now}, 0.9);
  EXPECT_EQ(tracks.shown(now)->label, "no");
  EXPECT_THAT(tracks.shown(now)->probabilities, ElementsAre(1, 0));
}

TEST(ShownTracks, SurvivesTwoFacesOfOneTrackThatDisagree) {
  ShownTracks tracks;
  const FaceRecord three = face(1, {0, 0, 1}, 2), two = face(1, {1, 0}, 0, {"no", "yes"});
  for (int i = 0; i < 3; ++i) {
    tracks.update({two, three}, 0.9);
    EXPECT_EQ(tracks.shown(two)->label, "no");
    EXPECT_EQ(tracks.shown(three)->label, "sad");
    tracks.update({three, two}, 0.9);
    EXPECT_EQ(tracks.shown(two)->label, "no");
    EXPECT_EQ(tracks.shown(three)->label, "sad");
  }
}

TEST(ShownTracks, RemembersThroughShortGapsOnly) {
  ShownTracks tracks;
  const FaceRecord glad = face(1, {0, 1, 0}, 1), calm = face(1, {1, 0, 0}, 0);
  tracks.update({glad}, 0.9);
  tracks.memory(glad).bars_at = 2;
  for (int i = 0; i < 149; ++i) tracks.update({}, 0.9);
  tracks.update({calm}, 0.9);
  EXPECT_EQ(tracks.shown(calm)->label, "glad");
  EXPECT_EQ(tracks.memory(calm).bars_at, 2);
  for (int i = 0; i < 151; ++i) tracks.update({}, 0.9);
  tracks.update({calm}, 0.9);
  EXPECT_EQ(tracks.shown(calm)->label, "calm");
  EXPECT_EQ(tracks.memory(calm).bars_at, -1);
}

TEST(ShownTracks, ResetForgets) {
  ShownTracks tracks;
  tracks.update({face(1, {0, 1, 0}, 1)}, 0.9);
  tracks.reset();
  const FaceRecord calm = face(1, {1, 0, 0}, 0);
  tracks.update({calm}, 0.9);
  EXPECT_EQ(tracks.shown(calm)->label, "calm");
}

}  // namespace
}  // namespace fer
