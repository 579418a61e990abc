#include "face-meta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "data/drawn_face.h"
#include "element_test.h"

namespace fer {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kWidth = 64, kHeight = 48;

FaceRecord plain_face(double x = 0.25) {
  FaceRecord face;
  face.track_id = 5;
  face.x = x;
  face.y = 0.125;
  face.w = 0.25;
  face.h = 0.5;
  face.confidence = 0.875;
  return face;
}

FaceRecord full_face(double x = 0.25) {
  FaceRecord face = plain_face(x);
  face.landmarks = {-0.25, 0.5, 0.375, 0.5, 0.3, 0.6, 0.25, 0.75, 1.5, 0.75};
  face.expression =
      Expression{"anger", 1, {0.25f, 0.5f, 0.125f}, {"fear", "anger", "joy"}, "trial-3", 4};
  return face;
}

void expect_same(const FaceRecord& a, const FaceRecord& b) {
  EXPECT_EQ(a.track_id, b.track_id);
  EXPECT_DOUBLE_EQ(a.x, b.x);
  EXPECT_DOUBLE_EQ(a.y, b.y);
  EXPECT_DOUBLE_EQ(a.w, b.w);
  EXPECT_DOUBLE_EQ(a.h, b.h);
  EXPECT_DOUBLE_EQ(a.confidence, b.confidence);
  EXPECT_EQ(a.landmarks, b.landmarks);
  ASSERT_EQ(a.expression.has_value(), b.expression.has_value());
  if (!a.expression) return;
  EXPECT_EQ(a.expression->label, b.expression->label);
  EXPECT_EQ(a.expression->label_id, b.expression->label_id);
  EXPECT_EQ(a.expression->probabilities, b.expression->probabilities);
  EXPECT_EQ(a.expression->labels, b.expression->labels);
  EXPECT_EQ(a.expression->model_version, b.expression->model_version);
  EXPECT_EQ(a.expression->age, b.expression->age);
}

std::vector<GstVideoRegionOfInterestMeta*> regions_of(GstBuffer* buffer) {
  std::vector<GstVideoRegionOfInterestMeta*> regions;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    regions.push_back(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta));
  }
  return regions;
}

double number(const GstStructure* fields, const char* name) {
  double value = std::numeric_limits<double>::quiet_NaN();
  gst_structure_get_double(fields, name, &value);
  return value;
}

class FaceMeta : public testing::Test {
 protected:
  void write(const std::vector<FaceRecord>& faces) { face_meta_write(buffer_.get(), info_, faces); }

  GstVideoInfo info_ = video_info("RGB", kWidth, kHeight);
  BufferPtr buffer_ = make_frame(drawn_background({kWidth, kHeight}), "RGB");
};

TEST_F(FaceMeta, NobodyLookedIsNotTheSameAsNoFaces) {
  EXPECT_EQ(face_meta_read(buffer_.get()), std::nullopt);
  write({});
  EXPECT_THAT(faces_of(buffer_.get()), IsEmpty());
}

TEST_F(FaceMeta, WhatIsWrittenIsRead) {
  write({full_face(), plain_face(0.5)});
  const auto faces = faces_of(buffer_.get());
  ASSERT_THAT(faces, SizeIs(2));
  expect_same(faces[0], full_face());
  expect_same(faces[1], plain_face(0.5));
}

TEST_F(FaceMeta, WritingReplacesInAllDialects) {
  write({full_face(), plain_face(0.5)});
  write({plain_face(0.125)});
  ASSERT_THAT(faces_of(buffer_.get()), SizeIs(1));
  expect_same(faces_of(buffer_.get())[0], plain_face(0.125));
  EXPECT_THAT(regions_of(buffer_.get()), SizeIs(1));
  write({});
  EXPECT_THAT(faces_of(buffer_.get()), IsEmpty());
  EXPECT_THAT(regions_of(buffer_.get()), IsEmpty());
}

TEST_F(FaceMeta, RegionsSpeakDlStreamersDialect) {
  write({full_face()});
  const auto regions = regions_of(buffer_.get());
  ASSERT_THAT(regions, SizeIs(1));
  EXPECT_STREQ(g_quark_to_string(regions[0]->roi_type), "face");
  EXPECT_EQ(regions[0]->id, faces_of(buffer_.get())[0].roi_id);
  EXPECT_EQ(regions[0]->x, kWidth / 4u);
  EXPECT_EQ(regions[0]->y, kHeight / 8u);
  EXPECT_EQ(regions[0]->w, kWidth / 4u);
  EXPECT_EQ(regions[0]->h, kHeight / 2u);

  const GstStructure* detection =
      gst_video_region_of_interest_meta_get_param(regions[0], "detection");
  ASSERT_NE(detection, nullptr);
  EXPECT_DOUBLE_EQ(number(detection, "confidence"), 0.875);
  EXPECT_DOUBLE_EQ(number(detection, "x_min"), 0.25);
  EXPECT_DOUBLE_EQ(number(detection, "y_max"), 0.625);
  const GstStructure* object = gst_video_region_of_interest_meta_get_param(regions[0], "object_id");
  ASSERT_NE(object, nullptr);
  gint id = 0;
  EXPECT_TRUE(gst_structure_get_int(object, "id", &id));
  EXPECT_EQ(id, 5);
  const GstStructure* emotion = gst_video_region_of_interest_meta_get_param(regions[0], "emotion");
  ASSERT_NE(emotion, nullptr);
  EXPECT_STREQ(gst_structure_get_string(emotion, "label"), "anger");
  EXPECT_DOUBLE_EQ(number(emotion, "confidence"), 0.5);
}

TEST_F(FaceMeta, RegionsOfOthersStay) {
  gst_buffer_add_video_region_of_interest_meta(buffer_.get(), "person", 0, 0, 9, 9)->id = 1;
  gst_buffer_add_video_region_of_interest_meta(buffer_.get(), "face", 5, 5, 9, 9)->id = 77;
  write({plain_face()});
  EXPECT_THAT(regions_of(buffer_.get()), SizeIs(3));
  write({});
  const auto left = regions_of(buffer_.get());
  ASSERT_THAT(left, SizeIs(2));
  EXPECT_EQ(left[0]->id, 1);
  EXPECT_EQ(left[1]->id, 77);
}

TEST_F(FaceMeta, RegionIdsAreUniqueAndKept) {
  gst_buffer_add_video_region_of_interest_meta(buffer_.get(), "person", 0, 0, 9, 9)->id = 1;
  FaceRecord numbered = plain_face(0.5), clashing = plain_face(0.75);
  numbered.roi_id = 42;
  clashing.roi_id = 42;
  write({plain_face(), numbered, clashing});
  auto faces = faces_of(buffer_.get());
  ASSERT_THAT(faces, SizeIs(3));
  EXPECT_EQ(faces[1].roi_id, 42);
  EXPECT_EQ((std::set<gint>{1, faces[0].roi_id, faces[1].roi_id, faces[2].roi_id}).size(), 4u);
  // Whoever adds what it knows about a face and writes it back leaves the ids as they were.
  write(faces);
  const auto again = faces_of(buffer_.get());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(again[i].roi_id, faces[i].roi_id);
}

TEST_F(FaceMeta, FacesAreClippedToTheFrame) {
  FaceRecord over = plain_face();
  over.x = -0.25;
  over.y = 0.75;
  over.w = 0.5;
  over.h = 0.5;
  over.confidence = 1.5;
  write({over});
  const auto faces = faces_of(buffer_.get());
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_DOUBLE_EQ(faces[0].x, 0);
  EXPECT_DOUBLE_EQ(faces[0].w, 0.25);
  EXPECT_DOUBLE_EQ(faces[0].y, 0.75);
  EXPECT_DOUBLE_EQ(faces[0].h, 0.25);
  EXPECT_DOUBLE_EQ(faces[0].confidence, 1);
}

TEST_F(FaceMeta, FacesWithoutABoxAreLeftOut) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  FaceRecord outside = plain_face(1.5), empty = plain_face(), no_number = plain_face(nan),
             endless = plain_face(), unsure = plain_face();
  empty.w = 0;
  endless.h = infinity;
  unsure.confidence = nan;
  write({outside, empty, no_number, endless, unsure, plain_face()});
  EXPECT_THAT(faces_of(buffer_.get()), SizeIs(1));
  EXPECT_THAT(regions_of(buffer_.get()), SizeIs(1));
}

TEST_F(FaceMeta, LandmarksThatAreNoNumbersAreLeftOut) {
  FaceRecord face = full_face();
  (*face.landmarks)[3] = std::numeric_limits<double>::quiet_NaN();
  write({face});
  ASSERT_THAT(faces_of(buffer_.get()), SizeIs(1));
  EXPECT_FALSE(faces_of(buffer_.get())[0].landmarks);
}

TEST_F(FaceMeta, SmallestFacesStillHaveAPixel) {
  FaceRecord tiny = plain_face(1 - 1e-4);
  tiny.w = 1e-4;
  tiny.h = 1e-4;
  write({tiny});
  const auto regions = regions_of(buffer_.get());
  ASSERT_THAT(regions, SizeIs(1));
  EXPECT_EQ(regions[0]->w, 1u);
  EXPECT_EQ(regions[0]->h, 1u);
  EXPECT_LE(regions[0]->x + regions[0]->w, static_cast<guint>(kWidth));
}

TEST_F(FaceMeta, CopiesOfTheBufferHaveIt) {
  write({full_face()});
  const BufferPtr copy(gst_buffer_copy_deep(buffer_.get()));
  buffer_.reset();
  ASSERT_THAT(faces_of(copy.get()), SizeIs(1));
  expect_same(faces_of(copy.get())[0], full_face());
}

TEST(Expression, ConfidenceIsTheLabelsProbability) {
  EXPECT_DOUBLE_EQ((Expression{"anger", 1, {0.25f, 0.5f}, {}, "", 0}).confidence(), 0.5);
  EXPECT_DOUBLE_EQ((Expression{"anger", 2, {0.25f, 0.5f}, {}, "", 0}).confidence(), 0);
  EXPECT_DOUBLE_EQ((Expression{"anger", -1, {}, {}, "", 0}).confidence(), 0);
}

// --- What others, or nobody in their right mind, wrote.

class ForeignFaceMeta : public FaceMeta {
 protected:
  void SetUp() override {
    write({full_face(), plain_face(0.5)});
    record_ =
        gst_custom_meta_get_structure(gst_buffer_get_custom_meta(buffer_.get(), kFacesMetaName));
  }

  /// Spoils the first of the two faces.
  void spoil(const std::function<void(GstStructure*)>& how) {
    GValue array = G_VALUE_INIT;
    gst_value_array_init(&array, 2);
    const GValue* faces = gst_structure_get_value(record_, "faces");
    for (guint i = 0; i < 2; ++i) {
      GstStructure* face =
          gst_structure_copy(gst_value_get_structure(gst_value_array_get_value(faces, i)));
      if (i == 0) how(face);
      GValue item = G_VALUE_INIT;
      g_value_init(&item, GST_TYPE_STRUCTURE);
      g_value_take_boxed(&item, face);
      gst_value_array_append_and_take_value(&array, &item);
    }
    gst_structure_take_value(record_, "faces", &array);
  }

  /// The other face is still read, and the next writer leaves one clean record.
  void expect_only_the_second() {
    const auto faces = faces_of(buffer_.get());
    ASSERT_THAT(faces, SizeIs(1));
    EXPECT_DOUBLE_EQ(faces[0].x, 0.5);
    write({plain_face()});
    EXPECT_THAT(faces_of(buffer_.get()), SizeIs(1));
  }

  GstStructure* record_ = nullptr;
};

TEST_F(ForeignFaceMeta, OtherVersionsAreNotRead) {
  gst_structure_set(record_, "version", G_TYPE_INT, 2, nullptr);
  EXPECT_EQ(face_meta_read(buffer_.get()), std::nullopt);
  gst_structure_set(record_, "version", G_TYPE_STRING, "1", nullptr);
  EXPECT_EQ(face_meta_read(buffer_.get()), std::nullopt);
  gst_structure_remove_field(record_, "version");
  EXPECT_EQ(face_meta_read(buffer_.get()), std::nullopt);
}

TEST_F(ForeignFaceMeta, ARecordWithoutAnArrayIsNotRead) {
  gst_structure_set(record_, "faces", G_TYPE_STRING, "two", nullptr);
  EXPECT_EQ(face_meta_read(buffer_.get()), std::nullopt);
  gst_structure_remove_field(record_, "faces");
  EXPECT_EQ(face_meta_read(buffer_.get()), std::nullopt);
  write({plain_face()});
  EXPECT_THAT(faces_of(buffer_.get()), SizeIs(1));
}

TEST_F(ForeignFaceMeta, EveryFieldIsNeeded) {
  for (const char* field : {"roi-id", "track-id", "x", "y", "w", "h", "confidence"}) {
    SCOPED_TRACE(field);
    SetUp();
    spoil([&](GstStructure* face) { gst_structure_remove_field(face, field); });
    expect_only_the_second();
  }
}

TEST_F(ForeignFaceMeta, EveryFieldHasItsType) {
  for (const char* field : {"roi-id", "track-id", "x", "y", "w", "h", "confidence", "landmarks",
                            "labels", "probabilities", "label-id", "model-version", "age"}) {
    SCOPED_TRACE(field);
    SetUp();
    spoil(
        [&](GstStructure* face) { gst_structure_set(face, field, G_TYPE_FLOAT, 0.25f, nullptr); });
    expect_only_the_second();
  }
}

TEST_F(ForeignFaceMeta, NumbersHaveTheirRanges) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const char* field : {"x", "y", "w", "h", "confidence"}) {
    for (const double value : {-0.1, 1.1, nan, std::numeric_limits<double>::infinity()}) {
      SCOPED_TRACE(testing::Message() << field << " " << value);
      SetUp();
      spoil([&](GstStructure* face) {
        gst_structure_set(face, field, G_TYPE_DOUBLE, value, nullptr);
      });
      expect_only_the_second();
    }
  }
  for (const char* field : {"roi-id", "label-id"}) {
    SCOPED_TRACE(field);
    SetUp();
    spoil([&](GstStructure* face) { gst_structure_set(face, field, G_TYPE_INT, -1, nullptr); });
    expect_only_the_second();
  }
  SetUp();
  spoil([](GstStructure* face) { gst_structure_set(face, "label-id", G_TYPE_INT, 3, nullptr); });
  expect_only_the_second();
  SetUp();
  spoil([](GstStructure* face) { gst_structure_set(face, "w", G_TYPE_DOUBLE, 0.9, nullptr); });
  expect_only_the_second();
}

TEST_F(ForeignFaceMeta, FiveLandmarksAreTenNumbers) {
  for (const int count : {0, 9, 11}) {
    SCOPED_TRACE(count);
    SetUp();
    spoil([&](GstStructure* face) {
      GValue array = G_VALUE_INIT;
      gst_value_array_init(&array, 0);
      for (int i = 0; i < count; ++i) {
        GValue item = G_VALUE_INIT;
        g_value_init(&item, G_TYPE_DOUBLE);
        gst_value_array_append_and_take_value(&array, &item);
      }
      gst_structure_take_value(face, "landmarks", &array);
    });
    expect_only_the_second();
  }
}

#ifdef HAVE_ANALYTICS
// --- GstAnalytics.

/// The entries of a type; none where there is no relation meta.
std::vector<GstAnalyticsMtd> entries_of(GstBuffer* buffer, GstAnalyticsMtdType type) {
  std::vector<GstAnalyticsMtd> entries;
  GstAnalyticsRelationMeta* relations = gst_buffer_get_analytics_relation_meta(buffer);
  gpointer state = nullptr;
  GstAnalyticsMtd entry;
  while (relations != nullptr &&
         gst_analytics_relation_meta_iterate(relations, &state, type, &entry)) {
    entries.push_back(entry);
  }
  return entries;
}

std::vector<GstAnalyticsODMtd> objects_of(GstBuffer* buffer, const char* type) {
  auto objects = entries_of(buffer, gst_analytics_od_mtd_get_mtd_type());
  std::erase_if(objects, [&](GstAnalyticsMtd& object) {
    return gst_analytics_od_mtd_get_obj_type(&object) != g_quark_from_string(type);
  });
  return objects;
}

/// What the object is related to.
std::vector<GstAnalyticsMtd> related(GstAnalyticsODMtd object, GstAnalyticsRelTypes relation,
                                     GstAnalyticsMtdType type) {
  std::vector<GstAnalyticsMtd> entries;
  gpointer state = nullptr;
  GstAnalyticsMtd entry;
  while (gst_analytics_relation_meta_get_direct_related(object.meta, object.id, relation, type,
                                                        &state, &entry)) {
    entries.push_back(entry);
  }
  return entries;
}

TEST_F(FaceMeta, AnalyticsSayTheSame) {
  write({full_face(), plain_face(0.5)});
  auto objects = objects_of(buffer_.get(), "face");
  ASSERT_THAT(objects, SizeIs(2));
  gint x = 0, y = 0, w = 0, h = 0;
  gfloat confidence = 0;
  ASSERT_TRUE(gst_analytics_od_mtd_get_location(&objects[0], &x, &y, &w, &h, &confidence));
  EXPECT_THAT((std::vector<gint>{x, y, w, h}),
              ElementsAre(kWidth / 4, kHeight / 8, kWidth / 4, kHeight / 2));
  EXPECT_FLOAT_EQ(confidence, 0.875f);

  // Both relations that readers ask for.
  for (const GstAnalyticsRelTypes relation :
       {GST_ANALYTICS_REL_TYPE_CONTAIN, GST_ANALYTICS_REL_TYPE_RELATE_TO}) {
    auto labels = related(objects[0], relation, gst_analytics_cls_mtd_get_mtd_type());
    ASSERT_THAT(labels, SizeIs(1));
    ASSERT_EQ(gst_analytics_cls_mtd_get_length(&labels[0]), 1u);
    EXPECT_STREQ(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&labels[0], 0)), "anger");
    EXPECT_FLOAT_EQ(gst_analytics_cls_mtd_get_level(&labels[0], 0), 0.5f);
  }
  EXPECT_THAT(
      related(objects[1], GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_cls_mtd_get_mtd_type()),
      IsEmpty());

  auto tracks = related(objects[1], GST_ANALYTICS_REL_TYPE_RELATE_TO,
                        gst_analytics_tracking_mtd_get_mtd_type());
  ASSERT_THAT(tracks, SizeIs(1));
  guint64 id = 0;
  GstClockTime first = 0, last = 0;
  gboolean lost = TRUE;
  ASSERT_TRUE(gst_analytics_tracking_mtd_get_info(&tracks[0], &id, &first, &last, &lost));
  EXPECT_EQ(id, 5u);
  EXPECT_FALSE(lost);
}

TEST_F(FaceMeta, WritingReplacesAnalytics) {
  write({full_face(), plain_face(0.5)});
  write({full_face(0.125)});
  EXPECT_THAT(objects_of(buffer_.get(), "face"), SizeIs(1));
  EXPECT_THAT(entries_of(buffer_.get(), gst_analytics_cls_mtd_get_mtd_type()), SizeIs(1));
  EXPECT_THAT(entries_of(buffer_.get(), gst_analytics_tracking_mtd_get_mtd_type()), SizeIs(1));
  write({});
  EXPECT_EQ(gst_buffer_get_analytics_relation_meta(buffer_.get()), nullptr);
}

TEST_F(FaceMeta, AnalyticsOfOthersStay) {
  GstAnalyticsRelationMeta* relations = gst_buffer_add_analytics_relation_meta(buffer_.get());
  GstAnalyticsODMtd person;
  ASSERT_TRUE(gst_analytics_relation_meta_add_od_mtd(relations, g_quark_from_string("person"), 1, 2,
                                                     3, 4, 0.5f, &person));
  write({plain_face()});
  // The expression comes later: the same object, now with a label.
  FaceRecord labelled = full_face();
  labelled.roi_id = faces_of(buffer_.get()).at(0).roi_id;
  write({labelled});
  EXPECT_THAT(objects_of(buffer_.get(), "person"), SizeIs(1));
  auto objects = objects_of(buffer_.get(), "face");
  ASSERT_THAT(objects, SizeIs(1));
  for (const char* label : {"anger", "fear"}) {
    labelled.expression->label = label;
    write({labelled});
    auto labels =
        related(objects[0], GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_cls_mtd_get_mtd_type());
    ASSERT_THAT(labels, SizeIs(1)) << "the earlier label is no longer related";
    EXPECT_STREQ(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&labels[0], 0)), label);
    EXPECT_THAT(related(objects[0], GST_ANALYTICS_REL_TYPE_RELATE_TO,
                        gst_analytics_tracking_mtd_get_mtd_type()),
                SizeIs(1));
  }
}
#endif

// --- Other elements on the way.

/// What comes out of an element that gets a frame with these faces.
BufferPtr through(const std::string& element, const std::string& caps_out,
                  const std::vector<FaceRecord>& faces) {
  Harness harness(make_element(element));
  harness.set_downstream_caps(caps_out);
  harness.set_caps(video_caps("RGB", kWidth, kHeight));
  BufferPtr buffer = make_frame(drawn_background({kWidth, kHeight}), "RGB");
  face_meta_write(buffer.get(), video_info("RGB", kWidth, kHeight), faces);
  EXPECT_EQ(harness.push(std::move(buffer)), GST_FLOW_OK);
  return harness.pull();
}

TEST(FaceMetaOnItsWay, SurvivesVideoconvert) {
  const BufferPtr out =
      through("videoconvert", video_caps("NV12", kWidth, kHeight), {full_face(), plain_face(0.5)});
  ASSERT_TRUE(out);
  const auto faces = faces_of(out.get());
  ASSERT_THAT(faces, SizeIs(2));
  expect_same(faces[0], full_face());
  expect_same(faces[1], plain_face(0.5));
}

TEST(FaceMetaOnItsWay, SurvivesVideoscaleAndIsReplacedBehindIt) {
  const BufferPtr out = through("videoscale", video_caps("RGB", 32, 24), {full_face()});
  ASSERT_TRUE(out);
  ASSERT_THAT(faces_of(out.get()), SizeIs(1));
  expect_same(faces_of(out.get())[0], full_face());
  // The region came along without its parameters: it is still known for ours.
  const BufferPtr writable(gst_buffer_make_writable(gst_buffer_ref(out.get())));
  face_meta_write(writable.get(), video_info("RGB", 32, 24), faces_of(writable.get()));
  const auto regions = regions_of(writable.get());
  ASSERT_THAT(regions, SizeIs(1));
  EXPECT_EQ(regions[0]->w, 8u);
  EXPECT_NE(gst_video_region_of_interest_meta_get_param(regions[0], "detection"), nullptr);
}

TEST_F(FaceMeta, KeepsTheGeometryItWasMadeIn) {
  const test::BufferPtr buffer(gst_buffer_new());
  EXPECT_FALSE(face_meta_geometry(buffer.get()));
  EXPECT_EQ(face_meta_orientation(buffer.get()), Orientation::kIdentity);
  GstVideoInfo info = test::video_info("I420", 720, 576);
  GST_VIDEO_INFO_PAR_N(&info) = 64;
  GST_VIDEO_INFO_PAR_D(&info) = 45;
  face_meta_write(buffer.get(), info, {}, Orientation::k90Left);
  const auto geometry = face_meta_geometry(buffer.get());
  ASSERT_TRUE(geometry);
  EXPECT_EQ(geometry->width, 720);
  EXPECT_EQ(geometry->height, 576);
  EXPECT_DOUBLE_EQ(geometry->pixel_aspect, 64. / 45);
  EXPECT_EQ(geometry->orientation, Orientation::k90Left);
  // Who writes faces anew does not turn the frame.
  face_meta_write(buffer.get(), info, {});
  EXPECT_EQ(face_meta_orientation(buffer.get()), Orientation::k90Left);
}

TEST_F(FaceMeta, KeepsWhatIsUnsureAndUnclear) {
  const test::BufferPtr buffer(gst_buffer_new());
  FaceRecord face;
  face.w = face.h = 0.5;
  face.clear = false;
  face.expression = Expression{"glad", 1, {0.1f, 0.9f}, {"calm", "glad"}, "v3", 0, true};
  FaceRecord sure = face;
  sure.clear = true;
  sure.expression->unsure = false;
  face_meta_write(buffer.get(), test::video_info("I420", 64, 48), {face, sure});
  const auto faces = face_meta_read(buffer.get());
  ASSERT_TRUE(faces);
  ASSERT_EQ(faces->size(), 2u);
  EXPECT_FALSE(faces->at(0).clear);
  EXPECT_TRUE(faces->at(0).expression->unsure);
  EXPECT_TRUE(faces->at(1).clear);
  EXPECT_FALSE(faces->at(1).expression->unsure);
}

}  // namespace
}  // namespace fer
