#include "watch/face_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "training/watch/watch_faces.h"

namespace fer {
namespace {

using test::watched_face;
using test::watched_frame;

TEST(FaceRow, HoldsWhatTheMetadataSaysInPixels) {
  const SeenFrame frame = watched_frame(3, {watched_face(7, 1)});
  const auto row = face_row("a.mp4", frame, frame.faces[0], 1);
  EXPECT_EQ(row["input"], "a.mp4");
  EXPECT_EQ(row["frame"], 3);
  EXPECT_EQ(row["timestamp"], 1.5);
  EXPECT_EQ(row["face_id"], 7);
  EXPECT_EQ(row["FaceRectX"], 50);
  EXPECT_EQ(row["FaceRectY"], 20);
  EXPECT_EQ(row["FaceRectWidth"], 20);
  EXPECT_EQ(row["FaceRectHeight"], 40);
  EXPECT_EQ(row["FaceScore"], 0.875);
  EXPECT_EQ(row["x_1"], 70);
  EXPECT_EQ(row["y_1"], 40);
  EXPECT_EQ(row["Roll"], 45);
  EXPECT_EQ(row["happiness"], 1);
  EXPECT_EQ(row["label"], "happiness");
  EXPECT_EQ(row["unsure"], false);
  EXPECT_EQ(row["age"], 2);
  EXPECT_EQ(row["model_version"], "abc");
}

TEST(FaceRow, IsInPixelsOfThePictureAsItIsShown) {
  SeenFrame frame = watched_frame(0, {watched_face(7, 1)});
  frame.geometry.orientation = Orientation::k180;
  const auto row = face_row("a.mp4", frame, frame.faces[0], 1);
  EXPECT_EQ(row["FaceRectX"], 200 - 50 - 20);
  EXPECT_EQ(row["FaceRectY"], 100 - 20 - 40);
  EXPECT_EQ(row["Roll"], -135);
}

TEST(FaceRow, LeavesFieldsEmptyThatNobodyKnows) {
  FaceRecord face = watched_face(0, 1);
  face.landmarks.reset();
  face.expression.reset();
  const SeenFrame frame = watched_frame(0, {face, face});
  const auto row = face_row("a,\n\"b\".jpg", frame, face, 2);
  EXPECT_EQ(row["face_id"], 2) << "its place, where it is not followed";
  EXPECT_TRUE(row["Roll"].is_null());
  EXPECT_EQ(csv_line({"input", "face_id", "x_0", "Roll", "clear", "anger", "label"}, row),
            "\"a,\n\"\"b\"\".jpg\",2,,,1,,");
}

TEST(FaceRow, EveryColumnButTheClassesOfOtherModelsIsInARow) {
  const SeenFrame frame = watched_frame(0, {watched_face(1, 0)});
  const auto row = face_row("a", frame, frame.faces[0], 1);
  const auto columns = row_columns(ferplus_labels());
  EXPECT_EQ(columns.size(), row.size());
  for (const std::string& column : columns) EXPECT_TRUE(row.contains(column)) << column;
}

}  // namespace
}  // namespace fer
