// warp_faces() and resize_luma() against what the elements do today.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <vector>

#include "kernels/resize_luma.h"
#include "kernels/warp_faces.h"
#include "unit/vision/raw_frame.h"
#include "vision/align.h"
#include "vision/read_region.h"

namespace fer::kernels {
namespace {

using test::RawFrame;
using testing::HasSubstr;

/// A coloured picture with structure at all scales from some pixels on, as faces have.
cv::Mat picture_of(int width, int height) {
  cv::RNG random(7);
  cv::Mat picture(height, width, CV_32FC3, cv::Scalar::all(0));
  for (const double sigma : {2., 6., 20.}) {
    cv::Mat noise(height, width, CV_32FC3);
    random.fill(noise, cv::RNG::NORMAL, 0, 1);
    cv::GaussianBlur(noise, noise, {}, sigma);
    picture += noise * sigma * 60;
  }
  cv::Mat bytes;
  picture.convertTo(bytes, CV_8U, 1, 128);
  return bytes;
}

/// A face whose eyes are this far apart, turned by degrees about its middle.
Face face_at(cv::Point2f middle, float eyes, float degrees) {
  Face face;
  face.score = 1;
  const Landmarks upright = template_landmarks({});
  const float scale = eyes / (upright[1].x - upright[0].x);
  const float turn = degrees * static_cast<float>(CV_PI) / 180;
  Landmarks& points = face.landmarks.emplace();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const cv::Point2f p = (upright[i] - cv::Point2f(24, 27)) * scale;
    points[i] = middle + cv::Point2f(std::cos(turn) * p.x - std::sin(turn) * p.y,
                                     std::sin(turn) * p.x + std::cos(turn) * p.y);
  }
  return face;
}

Affine2x3 transform_of(const Face& face, const CropSpec& spec) {
  const cv::Mat m = align_transform(face, spec);
  Affine2x3 transform;
  std::copy_n(m.ptr<double>(), transform.size(), transform.begin());
  return transform;
}

struct Difference {
  double mean = 0, largest = 0;
};

/// Between values of 0 to 255 in NHWC and bytes.
Difference difference(const float* values, const cv::Mat& expected) {
  Difference d;
  const cv::Mat flat = expected.reshape(1, 1);
  for (int i = 0; i < flat.cols; ++i) {
    const double one = std::abs(values[i] - flat.at<std::uint8_t>(0, i));
    d.mean += one / flat.cols;
    d.largest = std::max(d.largest, one);
  }
  return d;
}

const std::vector<Face>& faces_for_tests() {
  static const std::vector<Face> faces{
      face_at({320, 240}, 18, 0), face_at({200, 150}, 60, 25),       face_at({400, 300}, 150, -20),
      face_at({300, 200}, 9, 10), face_at({20, 30}, 60, 5),          face_at({630, 470}, 100, -45),
      face_at({-40, 240}, 50, 0), face_at({311.3f, 77.7f}, 30, 180), face_at({320, 240}, 300, 3)};
  return faces;
}

class WarpFacesTest : public testing::TestWithParam<test::NamedFormat> {};

TEST_P(WarpFacesTest, CutsWhatCropFaceCuts) {
  const cv::Mat picture = picture_of(641, 479);
  for (const bool full_range : {true, false}) {
    const RawFrame frame(picture, GetParam().format, full_range);
    for (const bool grey : {true, false}) {
      CropSpec spec;
      spec.grey = grey;
      spec.width = grey ? 48 : 40;
      const FramePlanes planes = planes_of(frame.view());
      std::vector<FaceWarp> warps;
      for (const Face& face : faces_for_tests())
        warps.push_back(face_warp(0, transform_of(face, spec), 641, 479, spec.width, spec.height));
      const int channels = grey ? 1 : 3;
      std::vector<float> out(warps.size() *
                             static_cast<std::size_t>(channels * spec.width * spec.height));
      WarpFaces warp;
      warp.frames = &planes;
      warp.frame_count = 1;
      warp.faces = warps.data();
      warp.count = static_cast<int>(warps.size());
      warp.out = {out.data(), Batch::kFp32, Batch::kNhwc, channels, spec.height, spec.width};
      warp.stddev = 1 / 255.f;
      warp_faces(warp);
      for (std::size_t i = 0; i < warps.size(); ++i) {
        cv::Mat expected;
        crop_face(frame.view(), faces_for_tests()[i], spec, expected);
        const Difference d = difference(out.data() + i * out.size() / warps.size(), expected);
        // OpenCV rounds to whole levels after each of its steps, positions to 1/32 pixel; and it
        // interpolates chroma twice, which this does once.
        const bool chroma = !grey && planes.view.data[1];
        EXPECT_LT(d.mean, chroma ? 1.5 : 0.6) << "face " << i << (full_range ? "" : ", limited");
        EXPECT_LT(d.largest, chroma ? 12 : 4) << "face " << i << (full_range ? "" : ", limited");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, WarpFacesTest, testing::ValuesIn(test::kDeviceFormats),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(WarpFaces, TakesFacesOfManyFramesIntoHalvesOfAnyOrder) {
  const cv::Mat picture = picture_of(320, 240);
  const RawFrame first(picture, PixelFormat::kNv12),
      second(cv::Scalar::all(255) - picture, PixelFormat::kRgbx);
  const std::vector<FramePlanes> frames{planes_of(first.view()), planes_of(second.view())};
  const CropSpec spec{.width = 20, .height = 30, .grey = false};
  std::vector<FaceWarp> warps;
  for (const int frame : {1, 0, 1}) {
    warps.push_back(
        face_warp(frame, transform_of(face_at({160, 120}, 40, 9), spec), 320, 240, 20, 30));
  }
  std::vector<float> whole(3 * 3 * 20 * 30);
  std::vector<std::uint16_t> halves(whole.size());
  WarpFaces warp;
  warp.frames = frames.data();
  warp.frame_count = 2;
  warp.faces = warps.data();
  warp.count = 3;
  warp.mean = 0.4f;
  warp.stddev = 0.2f;
  warp.out = {whole.data(), Batch::kFp32, Batch::kNchw, 3, 30, 20};
  warp_faces(warp);
  warp.out = {halves.data(), Batch::kBf16, Batch::kNhwc, 3, 30, 20};
  warp_faces(warp);
  for (int n = 0; n < 3; ++n)
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < 600; ++i) {
        const float value = whole[static_cast<std::size_t>((n * 3 + c) * 600 + i)];
        ASSERT_EQ(halves[static_cast<std::size_t>((n * 600 + i) * 3 + c)], bfloat16_bits(value));
      }
  // The frames' pictures are each other's negatives, up to chroma: so are their means.
  const auto mean_of = [&](int n) {
    double sum = 0;
    for (int i = 0; i < 1800; ++i) sum += whole[static_cast<std::size_t>(n * 1800 + i)];
    return (sum / 1800 * 0.2 + 0.4) * 255;
  };
  EXPECT_NEAR(mean_of(0) + mean_of(1), 255, 3);
  EXPECT_EQ(mean_of(0), mean_of(2));
}

TEST(WarpFaces, TakesNoFacesAtAll) {
  WarpFaces warp;
  warp.out = {nullptr, Batch::kFp32, Batch::kNchw, 1, 48, 48};
  EXPECT_NO_THROW(warp_faces(warp));
  warp.count = 1;
  EXPECT_THROW(warp_faces(warp), std::invalid_argument);
}

/// The input that the detector makes today, N x 1 x H x W.
cv::Mat detector_input(const FrameView& view, cv::Size size, cv::Size input) {
  cv::Mat picture, padded(input, CV_8U, cv::Scalar(0));
  read_region(view, {0, 0, view.width, view.height}, size, Colour::kGrey, picture);
  picture.copyTo(padded(cv::Rect({}, size)));
  return padded;
}

class ResizeLumaTest : public testing::TestWithParam<test::NamedFormat> {};

TEST_P(ResizeLumaTest, MakesWhatTheDetectorTakes) {
  const cv::Mat picture = picture_of(641, 359);
  for (const bool full_range : {true, false}) {
    const RawFrame large(picture, GetParam().format, full_range),
        small(picture(cv::Rect(0, 0, 97, 63)).clone(), GetParam().format, full_range);
    for (const int detect_width : {640, 320, 233, 97}) {
      std::vector<ResizeLuma::Frame> frames;
      std::vector<cv::Mat> expected;
      const cv::Size input(640, 384);
      for (const FrameView& view : {large.view(), small.view()}) {
        // As the detector chooses it: no frame is enlarged.
        const int width = std::min(view.width, detect_width);
        const cv::Size size(width, cvRound(1. * view.height * width / view.width));
        frames.push_back({planes_of(view), size.width, size.height});
        expected.push_back(detector_input(view, size, input));
      }
      std::vector<float> out(2 * static_cast<std::size_t>(input.area()), -1);
      ResizeLuma resize;
      resize.frames = frames.data();
      resize.count = 2;
      resize.out = {out.data(), Batch::kFp32, Batch::kNchw, 1, input.height, input.width};
      resize_luma(resize);
      for (std::size_t n = 0; n < 2; ++n) {
        const Difference d =
            difference(out.data() + n * static_cast<std::size_t>(input.area()), expected[n]);
        // A rounding after the mean, one after the stretch.
        EXPECT_LE(d.largest, 1.2) << detect_width << ' ' << n << ' ' << full_range;
        EXPECT_LT(d.mean, 0.5) << detect_width << ' ' << n << ' ' << full_range;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, ResizeLumaTest, testing::ValuesIn(test::kDeviceFormats),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(ResizeLuma, SaysWhatIsMissing) {
  ResizeLuma resize;
  resize.out = {nullptr, Batch::kFp32, Batch::kNchw, 1, 32, 32};
  EXPECT_NO_THROW(resize_luma(resize));
  resize.count = 1;
  EXPECT_THROW(resize_luma(resize), std::invalid_argument);
}

}  // namespace
}  // namespace fer::kernels
