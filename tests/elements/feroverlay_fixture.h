// An overlay that plays, and what it draws.
#pragma once

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "element_test.h"
#include "made_up_faces.h"
#include "video-frame.h"

namespace fer::test {

/// Noise, so that whatever is drawn shows.
inline const cv::Mat& noise(cv::Size size) {
  static cv::Mat picture;
  if (picture.size() != size) {
    picture.create(size, CV_8UC3);
    cv::randu(picture, 0, 256);
  }
  return picture;
}

/// The pixels in which two frames differ, each component looked at.
inline cv::Mat changed_pixels(const GstVideoInfo& info, GstBuffer* a, GstBuffer* b) {
  MappedFrame first(info, a, GST_MAP_READ), second(info, b, GST_MAP_READ);
  EXPECT_TRUE(first && second);
  cv::Mat changed =
      cv::Mat::zeros(GST_VIDEO_INFO_HEIGHT(&info), GST_VIDEO_INFO_WIDTH(&info), CV_8U);
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS(&info); ++i) {
    const int across = GST_VIDEO_FORMAT_INFO_W_SUB(info.finfo, i);
    const int down = GST_VIDEO_FORMAT_INFO_H_SUB(info.finfo, i);
    const bool wide = GST_VIDEO_INFO_COMP_DEPTH(&info, i) > 8;
    for (int y = 0; y < changed.rows; ++y) {
      for (int x = 0; x < changed.cols; ++x) {
        const auto sample = [&](const GstVideoFrame& frame) {
          const auto* at = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, i)) +
                           (y >> down) * GST_VIDEO_FRAME_COMP_STRIDE(&frame, i) +
                           (x >> across) * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, i);
          return wide ? at[0] | (at[1] << 8) : at[0];
        };
        if (sample(first.frame()) != sample(second.frame())) changed.at<uchar>(y, x) = 255;
      }
    }
  }
  return changed;
}

class FerOverlay : public testing::Test {
 protected:
  void play(const Properties& properties = {}) {
    harness_ = std::make_unique<Harness>(make_element("feroverlay", properties));
  }
  void set_caps(const std::string& format, cv::Size size) {
    info_ = video_info(format, size.width, size.height);
    harness_->set_caps(video_caps(format, size.width, size.height));
  }
  /// An element that plays, with caps of that format and size.
  void play(const std::string& format, cv::Size size, const Properties& properties = {}) {
    play(properties);
    set_caps(format, size);
  }

  BufferPtr frame(int number = 0, Layout layout = Layout::kPacked) const {
    return make_frame(noise({GST_VIDEO_INFO_WIDTH(&info_), GST_VIDEO_INFO_HEIGHT(&info_)}),
                      GST_VIDEO_INFO_NAME(&info_), layout, number);
  }
  BufferPtr pass(BufferPtr buffer) {
    EXPECT_EQ(harness_->push(std::move(buffer)), GST_FLOW_OK);
    BufferPtr out = harness_->try_pull();
    EXPECT_TRUE(out);
    return out;
  }
  /// What is drawn on frame `number` with these faces.
  cv::Mat drawn(const std::vector<FaceRecord>& faces, int number = 0,
                Layout layout = Layout::kPacked) {
    const BufferPtr before = frame(number, layout);
    const BufferPtr out = pass(with_faces(frame(number, layout), info_, faces));
    return changed_pixels(info_, before.get(), out.get());
  }
  /// What is drawn, where two runs with different settings draw differently.
  BufferPtr draw(const std::vector<FaceRecord>& faces, int number = 0) {
    return pass(with_faces(frame(number), info_, faces));
  }
  GstElement* element() { return harness_->element(); }

  std::unique_ptr<Harness> harness_;
  GstVideoInfo info_{};
};

}  // namespace fer::test
