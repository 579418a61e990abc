// The C interface, called as an application calls it.
#include <gmock/gmock.h>
#include <gst/fer/fer.h>
#include <gtest/gtest.h>

#include <memory>

#include "element_test.h"

namespace fer {
namespace {

using namespace test;
using testing::ElementsAre;

struct FreeArray {
  void operator()(GPtrArray* array) const { g_ptr_array_unref(array); }
};
using Faces = std::unique_ptr<GPtrArray, FreeArray>;

const GstFerFace* at(const Faces& faces, guint index) {
  return static_cast<const GstFerFace*>(g_ptr_array_index(faces.get(), index));
}

FaceRecord face() {
  FaceRecord face;
  face.track_id = 9000000000;
  face.x = 0.25;
  face.y = 0.5;
  face.w = 0.5;
  face.h = 0.25;
  face.confidence = 0.9;
  return face;
}

FaceRecord labelled_face() {
  FaceRecord labelled = face();
  labelled.landmarks = std::array<double, 10>{0.4, 0.55, 0.6, 0.55, 0.5, 0.6, 0.4, 0.7, 0.6, 0.7};
  labelled.clear = false;
  Expression& expression = labelled.expression.emplace();
  expression.label = "glad";
  expression.label_id = 1;
  expression.probabilities = {0.25f, 0.75f};
  expression.labels = {"calm", "glad"};
  expression.model_version = "v1";
  expression.age = 3;
  expression.unsure = true;
  return labelled;
}

BufferPtr buffer_with(const std::vector<FaceRecord>& faces) {
  BufferPtr buffer(gst_buffer_new());
  face_meta_write(buffer.get(), video_info("I420", 400, 200), faces);
  return buffer;
}

TEST(GstFer, NobodyLookedIsNotTheSameAsNoFaces) {
  const BufferPtr nobody(gst_buffer_new()), none = buffer_with({});
  EXPECT_EQ(gst_fer_buffer_get_faces(nobody.get(), nullptr), nullptr);
  EXPECT_FALSE(gst_fer_buffer_is_analysed(nobody.get()));
  EXPECT_TRUE(gst_fer_buffer_is_analysed(none.get()));
  const Faces faces(gst_fer_buffer_get_faces(none.get(), nullptr));
  ASSERT_TRUE(faces);
  EXPECT_EQ(faces->len, 0u);
}

TEST(GstFer, AFaceTellsWhereItIs) {
  const BufferPtr buffer = buffer_with({labelled_face(), face()});
  const Faces faces(gst_fer_buffer_get_faces(buffer.get(), nullptr));
  ASSERT_EQ(faces->len, 2u);
  const GstFerFace* first = at(faces, 0);
  EXPECT_EQ(gst_fer_face_get_track_id(first), 9000000000u);
  EXPECT_DOUBLE_EQ(gst_fer_face_get_score(first), 0.9);
  gdouble x = 0, y = 0, width = 0, height = 0;
  gst_fer_face_get_box(first, &x, &y, &width, &height);
  EXPECT_THAT((std::array{x, y, width, height}), ElementsAre(0.25, 0.5, 0.5, 0.25));
  gst_fer_face_get_box(first, nullptr, nullptr, nullptr, nullptr);
  EXPECT_FALSE(gst_fer_face_is_clear(first));
  EXPECT_TRUE(gst_fer_face_get_landmark(first, GST_FER_LANDMARK_LEFT_MOUTH, &x, &y));
  EXPECT_THAT((std::array{x, y}), ElementsAre(0.6, 0.7));
  EXPECT_FALSE(gst_fer_face_get_landmark(first, static_cast<GstFerLandmark>(5), &x, &y));
  EXPECT_FALSE(gst_fer_face_get_landmark(at(faces, 1), GST_FER_LANDMARK_NOSE, &x, &y));
  EXPECT_TRUE(gst_fer_face_is_clear(at(faces, 1)));
}

TEST(GstFer, AFaceTellsWhatItExpresses) {
  const BufferPtr buffer = buffer_with({labelled_face()});
  const Faces faces(gst_fer_buffer_get_faces(buffer.get(), nullptr));
  const GstFerFace* first = at(faces, 0);
  EXPECT_STREQ(gst_fer_face_get_label(first), "glad");
  EXPECT_EQ(gst_fer_face_get_label_id(first), 1);
  EXPECT_DOUBLE_EQ(gst_fer_face_get_confidence(first), 0.75);
  EXPECT_TRUE(gst_fer_face_is_unsure(first));
  EXPECT_STREQ(gst_fer_face_get_model_version(first), "v1");
  EXPECT_EQ(gst_fer_face_get_age(first), 3u);
  gsize count = 0;
  const gdouble* probabilities = gst_fer_face_get_probabilities(first, &count);
  EXPECT_THAT(std::vector<double>(probabilities, probabilities + count), ElementsAre(0.25, 0.75));
  const gchar* const* labels = gst_fer_face_get_labels(first);
  EXPECT_STREQ(labels[0], "calm");
  EXPECT_STREQ(labels[1], "glad");
  EXPECT_EQ(labels[2], nullptr);
}

TEST(GstFer, WithoutALabelThereIsNoExpression) {
  const BufferPtr buffer = buffer_with({face()});
  const Faces faces(gst_fer_buffer_get_faces(buffer.get(), nullptr));
  const GstFerFace* first = at(faces, 0);
  EXPECT_EQ(gst_fer_face_get_label(first), nullptr);
  EXPECT_EQ(gst_fer_face_get_label_id(first), -1);
  EXPECT_EQ(gst_fer_face_get_confidence(first), 0);
  EXPECT_EQ(gst_fer_face_get_model_version(first), nullptr);
  gsize count = 7;
  gst_fer_face_get_probabilities(first, &count);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(gst_fer_face_get_labels(first)[0], nullptr);
}

TEST(GstFer, AFaceOutlivesItsBufferAndItsArray) {
  BufferPtr buffer = buffer_with({labelled_face()});
  Faces faces(gst_fer_buffer_get_faces(buffer.get(), nullptr));
  auto* kept =
      static_cast<GstFerFace*>(g_boxed_copy(GST_FER_TYPE_FACE, g_ptr_array_index(faces.get(), 0)));
  buffer.reset();
  faces.reset();
  EXPECT_STREQ(gst_fer_face_get_label(kept), "glad");
  gst_fer_face_unref(kept);
}

TEST(GstFer, AFaceLiesWhereItsRegionWasMovedTo) {
  const BufferPtr buffer = buffer_with({face()});
  GstVideoRegionOfInterestMeta* region =
      gst_buffer_get_video_region_of_interest_meta_id(buffer.get(), 1);
  region->x = 0;
  const auto left = [&](const GstVideoInfo* info) {
    const Faces faces(gst_fer_buffer_get_faces(buffer.get(), info));
    gdouble x = -1;
    if (faces && faces->len == 1) gst_fer_face_get_box(at(faces, 0), &x, nullptr, nullptr, nullptr);
    return x;
  };
  EXPECT_EQ(left(nullptr), 0);
  // In a frame of half the size the same region is another place.
  region->x = 50;
  region->y = 50;
  region->w = 100;
  region->h = 25;
  const GstVideoInfo half = video_info("I420", 200, 100);
  EXPECT_DOUBLE_EQ(left(&half), 0.25);
  EXPECT_DOUBLE_EQ(left(nullptr), 0.125);
  gst_buffer_add_video_meta(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 200,
                            100);
  EXPECT_DOUBLE_EQ(left(nullptr), 0.25);
}

TEST(GstFer, AFaceWhosePlaceIsNotKnownIsLeftOut) {
  const BufferPtr buffer = buffer_with({face(), labelled_face()});
  gst_buffer_remove_meta(
      buffer.get(),
      reinterpret_cast<GstMeta*>(gst_buffer_get_video_region_of_interest_meta_id(buffer.get(), 1)));
  const Faces faces(gst_fer_buffer_get_faces(buffer.get(), nullptr));
  ASSERT_EQ(faces->len, 1u);
  EXPECT_STREQ(gst_fer_face_get_label(at(faces, 0)), "glad");
}

TEST(GstFer, ASampleTellsTheSizeByItsCaps) {
  const BufferPtr buffer = buffer_with({face()});
  const CapsPtr caps(gst_caps_from_string(video_caps("I420", 400, 200).c_str()));
  GstSample* sample = gst_sample_new(buffer.get(), caps.get(), nullptr, nullptr);
  const Faces faces(gst_fer_sample_get_faces(sample));
  gst_sample_unref(sample);
  ASSERT_EQ(faces->len, 1u);
  GstSample* empty = gst_sample_new(nullptr, nullptr, nullptr, nullptr);
  EXPECT_EQ(gst_fer_sample_get_faces(empty), nullptr);
  gst_sample_unref(empty);
}

}  // namespace
}  // namespace fer
