#include "stream/label_picker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using testing::ElementsAre;

/// A remembered tracklet of two classes or more.
SampleMemory::Item item(std::uint64_t id, std::vector<float> mean, std::vector<float> features,
                        std::int64_t track = -1, const std::string& source = "cam") {
  SampleMemory::Item one;
  one.id = id;
  one.evidence.source = source;
  one.evidence.track = track;
  one.evidence.mean = std::move(mean);
  one.evidence.latents.features = std::move(features);
  one.evidence.crops = {{static_cast<std::uint8_t>(id)}};
  return one;
}

std::vector<std::uint64_t> ids(const std::vector<LabelQuestion>& questions) {
  std::vector<std::uint64_t> all;
  for (const LabelQuestion& one : questions) all.push_back(one.id);
  return all;
}

TEST(LabelPicker, AsksFirstAboutFacesThatTheTeacherIsUnsureOf) {
  const std::vector<SampleMemory::Item> memory{item(1, {.9f, .1f}, {1, 0, 0}),
                                               item(2, {.5f, .5f}, {0, 1, 0}),
                                               item(3, {.7f, .3f}, {0, 0, 1})};
  EXPECT_THAT(ids(pick_questions(memory, {}, 3)), ElementsAre(2, 3, 1));
}

TEST(LabelPicker, AsksForClassesWithFewLabels) {
  const std::vector<SampleMemory::Item> memory{item(1, {.6f, .4f, 0.f}, {1, 0}),
                                               item(2, {0.f, .4f, .6f}, {0, 1})};
  KnownLabels known;
  known.per_class = {20, 3, 0};
  EXPECT_THAT(ids(pick_questions(memory, known, 1)), ElementsAre(2));
  known.per_class = {0, 3, 20};
  EXPECT_THAT(ids(pick_questions(memory, known, 1)), ElementsAre(1));
}

TEST(LabelPicker, DoesNotAskTwiceAboutFacesThatLookAlike) {
  const std::vector<SampleMemory::Item> memory{
      item(1, {.5f, .5f}, {1, 0}), item(2, {.5f, .5f}, {.99f, .05f}), item(3, {.7f, .3f}, {0, 1})};
  EXPECT_THAT(ids(pick_questions(memory, {}, 2)), ElementsAre(1, 3));
  KnownLabels known;
  known.features = {{1, 0}};
  EXPECT_THAT(ids(pick_questions(memory, known, 1)), ElementsAre(3))
      << "nor about one like a labelled face";
}

TEST(LabelPicker, AsksOnceAboutEachPerson) {
  const std::vector<SampleMemory::Item> memory{item(1, {.5f, .5f}, {1, 0, 0}, 7),
                                               item(2, {.5f, .5f}, {0, 1, 0}, 7),
                                               item(3, {.5f, .5f}, {0, 0, 1}, 7, "other camera")};
  EXPECT_THAT(ids(pick_questions(memory, {}, 3)), ElementsAre(1, 3));
}

TEST(LabelPicker, LeavesOutWhatWasAnsweredWhatHasNoPictureAndWhatNobodyIsToSee) {
  std::vector<SampleMemory::Item> memory{item(1, {.5f, .5f}, {1, 0}), item(2, {.5f, .5f}, {0, 1}),
                                         item(3, {.5f, .5f}, {1, 1}, -1, "blurred"),
                                         item(4, {.5f, .5f}, {-1, 1})};
  memory[1].evidence.crops.clear();
  KnownLabels known;
  known.settled = {1};
  EXPECT_THAT(ids(pick_questions(memory, known, 9, {"blurred"})), ElementsAre(4));
}

TEST(LabelPicker, LeavesOutWhatIsTooOldToBeShown) {
  std::vector<SampleMemory::Item> memory{item(1, {.5f, .5f}, {1, 0}), item(2, {.5f, .5f}, {0, 1})};
  memory[0].added_s = 100;
  memory[1].added_s = 200;
  KnownLabels known;
  known.now_s = 250;
  EXPECT_THAT(ids(pick_questions(memory, known, 9)), ElementsAre(1, 2)) << "no age is too old";
  known.max_age_s = 100;
  const auto questions = pick_questions(memory, known, 9);
  EXPECT_THAT(ids(questions), ElementsAre(2));
  EXPECT_EQ(questions[0].time_s, 200);
  EXPECT_EQ(questions[0].expires_s, 301);
}

TEST(LabelPicker, PicksByUnsurenessAloneOrAnyForExperiments) {
  std::vector<SampleMemory::Item> memory;
  for (std::uint64_t id = 0; id < 20; ++id) {
    const float most = 0.5f + 0.02f * static_cast<float>(id);
    memory.push_back(item(id, {most, 1 - most}, {1, 0}));
  }
  EXPECT_THAT(ids(pick_questions(memory, {}, 3, {}, {Picking::kUnsure, 1})), ElementsAre(0, 1, 2))
      << "however alike";
  const auto some = ids(pick_questions(memory, {}, 5, {}, {Picking::kRandom, 1}));
  EXPECT_EQ(some.size(), 5u);
  EXPECT_EQ(ids(pick_questions(memory, {}, 5, {}, {Picking::kRandom, 1})), some);
  EXPECT_NE(ids(pick_questions(memory, {}, 5, {}, {Picking::kRandom, 2})), some);
}

TEST(LabelPicker, AQuestionShowsTheSharpestCropAndWhatTheTeacherSays) {
  const auto questions = pick_questions({item(5, {.5f, .5f}, {1, 0}, 3)}, {}, 1);
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0].source, "cam");
  EXPECT_EQ(questions[0].track, 3);
  EXPECT_THAT(questions[0].crop, ElementsAre(5));
  EXPECT_THAT(questions[0].probabilities, ElementsAre(.5f, .5f));
}

}  // namespace
}  // namespace fer
