#include "record-filter.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

FaceRecord face(std::uint64_t track, const std::string& label, bool unsure = false) {
  FaceRecord record;
  record.track_id = track;
  if (!label.empty()) {
    record.expression.emplace();
    record.expression->label = label;
    record.expression->unsure = unsure;
  }
  return record;
}

FrameRecord showing(std::vector<FaceRecord> faces) {
  FrameRecord record;
  record.faces = std::move(faces);
  return record;
}

constexpr RecordFilter::Wanted kAll{}, kChanges{true, 0}, kEveryTen{false, 10},
    kChangesEveryTen{true, 10};

TEST(RecordFilter, LetsAllThroughUnlessAsked) {
  RecordFilter filter;
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_TRUE(filter.admit(showing({}), i, kAll));
}

TEST(RecordFilter, OnChangeIsAboutFacesAndLabelsAlone) {
  RecordFilter filter;
  EXPECT_TRUE(filter.admit(showing({}), 0, kChanges)) << "the first says that nobody is there";
  EXPECT_FALSE(filter.admit(showing({}), 1, kChanges));
  EXPECT_TRUE(filter.admit(showing({face(1, "")}), 2, kChanges));
  EXPECT_TRUE(filter.admit(showing({face(1, "happiness")}), 3, kChanges));
  FrameRecord moved = showing({face(1, "happiness")});
  moved.faces[0].x = 0.5;
  moved.faces[0].expression->probabilities = {0.7f};
  EXPECT_FALSE(filter.admit(moved, 4, kChanges));
  EXPECT_TRUE(filter.admit(showing({face(1, "happiness", true)}), 5, kChanges));
  EXPECT_TRUE(filter.admit(showing({face(1, "happiness", true), face(2, "fear")}), 6, kChanges));
  EXPECT_FALSE(filter.admit(showing({face(2, "fear"), face(1, "happiness", true)}), 7, kChanges))
      << "the order of faces means nothing";
  EXPECT_TRUE(filter.admit(showing({face(3, "fear"), face(1, "happiness", true)}), 8, kChanges));
}

TEST(RecordFilter, AnIntervalIsKept) {
  RecordFilter filter;
  int admitted = 0;
  for (std::uint64_t now = 100; now < 140; ++now) {
    admitted += filter.admit(showing({}), now, kEveryTen) ? 1 : 0;
  }
  EXPECT_EQ(admitted, 4);
  EXPECT_TRUE(filter.admit(showing({}), 3, kEveryTen)) << "after a seek";
}

TEST(RecordFilter, AChangeThatComesTooSoonIsPublishedLater) {
  RecordFilter filter;
  EXPECT_TRUE(filter.admit(showing({face(1, "fear")}), 0, kChangesEveryTen));
  EXPECT_FALSE(filter.admit(showing({face(1, "anger")}), 5, kChangesEveryTen));
  EXPECT_TRUE(filter.admit(showing({face(1, "anger")}), 10, kChangesEveryTen));
  EXPECT_FALSE(filter.admit(showing({face(1, "fear")}), 15, kChangesEveryTen));
  EXPECT_FALSE(filter.admit(showing({face(1, "anger")}), 25, kChangesEveryTen)) << "it was undone";
}

}  // namespace
}  // namespace fer
