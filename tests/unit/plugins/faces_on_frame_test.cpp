#include "faces-on-frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "element_test.h"

namespace fer {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class FacesOnFrame : public testing::Test {
 protected:
  FacesOnFrame() {
    FaceRecord face;
    face.x = 0.25;
    face.y = 0.25;
    face.w = 0.5;
    face.h = 0.5;
    face.confidence = 0.9;
    face.landmarks = std::array<double, 10>{0.4, 0.4, 0.6, 0.4, 0.5, 0.5, 0.4, 0.6, 0.6, 0.6};
    face_meta_write(buffer_.get(), video_info("I420", 400, 200), {face});
  }

  std::optional<std::vector<FaceRecord>> read(gint width, gint height) {
    return faces_on_frame(element_.get(), buffer_.get(), width, height, changed_);
  }
  GstVideoRegionOfInterestMeta* region() {
    return gst_buffer_get_video_region_of_interest_meta_id(buffer_.get(), 1);
  }

  BufferPtr buffer_{gst_buffer_new()};
  ElementPtr element_ = make_element("identity");
  Messages messages_{element_.get()};
  WarningLimiter changed_;
};

TEST_F(FacesOnFrame, NobodyLookedIsNotTheSameAsNoFaces) {
  buffer_.reset(gst_buffer_new());
  EXPECT_FALSE(read(400, 200));
}

TEST_F(FacesOnFrame, StandWhereTheyWereFound) {
  const auto faces = read(400, 200);
  ASSERT_THAT(*faces, SizeIs(1));
  EXPECT_DOUBLE_EQ(faces->at(0).x, 0.25);
  EXPECT_EQ(messages_.count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FacesOnFrame, ScaleWithTheFrame) {
  // As videoscale does: the region in pixels of the smaller frame, the record in shares.
  region()->x = 50;
  region()->y = 25;
  region()->w = 100;
  region()->h = 50;
  const auto faces = read(200, 100);
  ASSERT_THAT(*faces, SizeIs(1));
  EXPECT_DOUBLE_EQ(faces->at(0).x, 0.25);
  EXPECT_DOUBLE_EQ(faces->at(0).w, 0.5);
}

TEST_F(FacesOnFrame, GoWhereTheirRegionsGo) {
  // The right half of the frame was cut out: 200 pixels are left, the face begins 100 before them.
  region()->x = 0;
  region()->y = 50;
  region()->w = 100;
  region()->h = 100;
  const auto faces = read(200, 200);
  ASSERT_THAT(*faces, SizeIs(1));
  const FaceRecord& face = faces->at(0);
  EXPECT_DOUBLE_EQ(face.x, 0);
  EXPECT_DOUBLE_EQ(face.w, 0.5);
  EXPECT_DOUBLE_EQ(face.y, 0.25);
  // The nose stays in the middle of the box.
  EXPECT_NEAR((*face.landmarks)[4], 0.25, 1e-9);
  EXPECT_NEAR((*face.landmarks)[5], 0.5, 1e-9);
}

TEST_F(FacesOnFrame, AreLeftOutWithOneWarningWhereNobodyKnowsWhereTheyAre) {
  gst_buffer_remove_meta(buffer_.get(), reinterpret_cast<GstMeta*>(region()));
  for (int frame = 0; frame < 3; ++frame) EXPECT_THAT(*read(400, 200), IsEmpty());
  const MessagePtr warning = messages_.wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("put that element before ferdetect"));
  EXPECT_EQ(messages_.count(GST_MESSAGE_WARNING), 0);
}

/// GStreamer's own filters, as they treat what they do not know.
class FacesBehind : public FacesOnFrame, public testing::WithParamInterface<const char*> {};

TEST_P(FacesBehind, AreNotWhereTheyWere) {
  GstElement* bin = gst_parse_bin_from_description(GetParam(), TRUE, nullptr);
  if (bin == nullptr) GTEST_SKIP() << "there is no " << GetParam();
  Harness harness(ElementPtr(GST_ELEMENT(gst_object_ref_sink(bin))));
  harness.set_caps(video_caps("I420", 400, 200));
  const GstVideoInfo info = video_info("I420", 400, 200);
  BufferPtr frame(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  gst_buffer_copy_into(frame.get(), buffer_.get(), GST_BUFFER_COPY_META, 0, -1);
  ASSERT_EQ(harness.push(std::move(frame)), GST_FLOW_OK);
  buffer_ = harness.pull();
  ASSERT_TRUE(buffer_);
  const CapsPtr caps(gst_pad_get_current_caps(harness.get()->sinkpad));
  GstVideoInfo out;
  ASSERT_TRUE(gst_video_info_from_caps(&out, caps.get()));
  const auto faces = read(GST_VIDEO_INFO_WIDTH(&out), GST_VIDEO_INFO_HEIGHT(&out));
  // Left out, or moved where GStreamer moves regions.
  for (const FaceRecord& face : faces.value_or(std::vector<FaceRecord>())) {
    EXPECT_GT(std::abs(face.x - 0.25) + std::abs(face.w - 0.5), 0.02);
  }
}

INSTANTIATE_TEST_SUITE_P(Filters, FacesBehind,
                         testing::Values("videoflip video-direction=90l",
                                         "videobox left=-40 right=-80",
                                         "videoconvert ! aspectratiocrop aspect-ratio=1/1",
                                         "videoconvert ! rotate angle=0.5"),
                         [](const auto& info) { return std::to_string(info.index); });

}  // namespace
}  // namespace fer
