#include "vision/align.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "data/drawn_face.h"
#include "raw_frame.h"
#include "vision/frame_memory.h"

namespace fer {
namespace {

using test::grey_view;
using test::RawFrame;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

void expect_point(const cv::Point2f& found, float x, float y, float tolerance = 1e-3f) {
  EXPECT_NEAR(found.x, x, tolerance);
  EXPECT_NEAR(found.y, y, tolerance);
}

cv::Point2f apply(const cv::Mat& transform, const cv::Point2f& point) {
  const cv::Matx23d m(transform.ptr<double>());
  const cv::Vec2d p = m * cv::Vec3d(point.x, point.y, 1);
  return {static_cast<float>(p[0]), static_cast<float>(p[1])};
}

void expect_transform(const cv::Mat& found, const cv::Matx23d& wanted, double tolerance = 1e-4) {
  ASSERT_EQ(found.size(), cv::Size(3, 2));
  ASSERT_EQ(found.type(), CV_64F);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      EXPECT_NEAR(found.at<double>(i, j), wanted(i, j), tolerance) << i << "," << j;
    }
  }
}

double mean_difference(const cv::Mat& a, const cv::Mat& b) {
  cv::Mat difference;
  cv::absdiff(a, b, difference);
  const cv::Scalar mean = cv::mean(difference);
  return (mean[0] + mean[1] + mean[2]) / a.channels();
}

/// The face whose landmarks lie in the frame as the template's in the crop, times `scale`, plus
/// `shift`.
Face placed_face(const CropSpec& spec, float scale, cv::Point2f shift) {
  Face face;
  Landmarks points = template_landmarks(spec);
  for (cv::Point2f& point : points) point = point * scale + shift;
  face.landmarks = points;
  const float side = static_cast<float>(spec.width) * scale;
  face.box = {shift.x, shift.y, side, side};
  return face;
}

TEST(TemplateLandmarks, FerAtItsOwnSize) {
  const Landmarks points = template_landmarks({});
  expect_point(points[0], 14.8f, 18.45f);
  expect_point(points[1], 33.2f, 18.45f);
  expect_point(points[2], 24.0f, 28.8f);
  expect_point(points[3], 16.2f, 36.75f);
  expect_point(points[4], 31.8f, 36.75f);
}

TEST(TemplateLandmarks, ScalesWithTheCrop) {
  const Landmarks points = template_landmarks({.width = 96, .height = 96});
  expect_point(points[0], 29.6f, 36.9f);
  expect_point(points[2], 48.0f, 57.6f);
}

TEST(TemplateLandmarks, ArcFaceAtItsOwnSize) {
  const Landmarks points =
      template_landmarks({.align_template = AlignTemplate::kArcFace, .width = 112, .height = 112});
  expect_point(points[0], 38.2946f, 51.6963f);
  expect_point(points[4], 70.7299f, 92.2041f);
}

TEST(TemplateLandmarks, LiesInTheLargestCentredSquare) {
  const Landmarks points = template_landmarks({.width = 48, .height = 68});
  expect_point(points[0], 14.8f, 28.45f);
  expect_point(points[2], 24.0f, 38.8f);
}

TEST(TemplateLandmarks, MarginShrinksItAboutTheMiddle) {
  const Landmarks points = template_landmarks({.margin = 0.25f});
  expect_point(points[0], 12 + 14.8f / 2, 12 + 18.45f / 2);
  expect_point(points[2], 24.0f, 12 + 28.8f / 2);
}

TEST(AlignTransform, IsIdentityOnTheTemplate) {
  expect_transform(align_transform(placed_face({}, 1, {}), {}), {1, 0, 0, 0, 1, 0});
}

TEST(AlignTransform, UndoesScaleAndShift) {
  // x' = (x - 100) / 4, y' = (y - 60) / 4
  expect_transform(align_transform(placed_face({}, 4, {100, 60}), {}),
                   {0.25, 0, -25, 0, 0.25, -15});
}

TEST(AlignTransform, UndoesAQuarterTurn) {
  // In the frame (x, y) of the template stands at (-y, x) + (200, 10); back: x' = y - 10, y' = 200
  // - x.
  Face face;
  Landmarks points = template_landmarks({});
  for (cv::Point2f& point : points) point = {200 - point.y, 10 + point.x};
  face.landmarks = points;
  expect_transform(align_transform(face, {}), {0, 1, -10, -1, 0, 200});
}

TEST(AlignTransform, IsLeastSquares) {
  // Template's points pulled apart along x by 1.5. With the centred points p = (1.5 u, v), q = (u,
  // v) the scale is sum(1.5 u^2 + v^2) / sum(2.25 u^2 + v^2): no turn, since the template is
  // symmetric.
  const Landmarks to = template_landmarks({});
  cv::Point2f mean;
  for (const cv::Point2f& point : to) mean += point / 5;
  double uu = 0, vv = 0;
  Landmarks from;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const cv::Point2f q = to[i] - mean;
    uu += q.x * q.x;
    vv += q.y * q.y;
    from[i] = mean + cv::Point2f(1.5f * q.x, q.y);
  }
  Face face;
  face.landmarks = from;
  const double scale = (1.5 * uu + vv) / (2.25 * uu + vv);
  expect_transform(align_transform(face, {}), {scale, 0, mean.x * (1 - scale),  //
                                               0, scale, mean.y * (1 - scale)});
}

TEST(AlignTransform, NeverMirrors) {
  Face face = placed_face({}, 3, {10, 10});
  for (cv::Point2f& point : *face.landmarks) point.x = 300 - point.x;
  const cv::Mat transform = align_transform(face, {});
  const cv::Matx23d m(transform.ptr<double>());
  EXPECT_GT(m(0, 0) * m(1, 1) - m(0, 1) * m(1, 0), 0);
}

TEST(AlignTransform, WithoutLandmarksTakesAnUprightAverageFace) {
  for (const cv::Rect2f box : {cv::Rect2f(100, 50, 78, 100), cv::Rect2f(100, 50, 90, 90)}) {
    Face face;
    face.box = box;
    const cv::Mat transform = align_transform(face, {});
    EXPECT_NEAR(transform.at<double>(0, 1), 0, 1e-6);
    const double scale = transform.at<double>(0, 0);
    // In both boxes the eyes are about 33.8 pixels apart; the template's are 18.4.
    EXPECT_NEAR(scale, 18.4 / 33.8, 0.02 * scale);
    const cv::Point2f between_eyes =
        apply(transform, {box.x + box.width / 2, box.y + 0.4f * box.height});
    expect_point(between_eyes, 24.f, 18.45f, 0.8f);
  }
}

TEST(AlignTransform, UnusableLandmarksFallBackOnTheBox) {
  Face plain;
  plain.box = {20, 30, 80, 100};
  const cv::Mat wanted = align_transform(plain, {});
  const cv::Matx23d m(wanted.ptr<double>());
  Face face = plain;
  const Landmarks good = *placed_face({}, 2, {20, 30}).landmarks;
  face.landmarks = good;
  (*face.landmarks)[3].y = kNan;
  expect_transform(align_transform(face, {}), m);
  (*face.landmarks)[3].y = std::numeric_limits<float>::infinity();
  expect_transform(align_transform(face, {}), m);
  face.landmarks->fill({50, 50});
  expect_transform(align_transform(face, {}), m);
  face.landmarks = good;
  for (cv::Point2f& point : *face.landmarks) point.x = -point.x;  // mirrored
  expect_transform(align_transform(face, {}), m);
}

TEST(AlignTransform, IsFiniteAndInvertibleForGarbage) {
  for (const cv::Rect2f box :
       {cv::Rect2f(), cv::Rect2f(5, 5, -3, -3), cv::Rect2f(kNan, kNan, kNan, kNan),
        cv::Rect2f(0, 0, 1e30f, 1e30f), cv::Rect2f(-1e30f, 0, 1, 1), cv::Rect2f(0, 0, 1e30f, 1)}) {
    Face face;
    face.box = box;
    const cv::Mat transform = align_transform(face, {});
    ASSERT_EQ(transform.size(), cv::Size(3, 2));
    EXPECT_TRUE(cv::checkRange(transform));
    EXPECT_GT(cv::determinant(transform.colRange(0, 2)), 0);
  }
}

/// A grey picture of waves, some 20 pixels long where `stretch` is 1.
cv::Mat textured(cv::Size size, double stretch = 1) {
  cv::Mat picture(size, CV_8UC1);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double u = x / stretch, v = y / stretch;
      picture.at<uchar>(y, x) = cv::saturate_cast<uchar>(127 + 60 * std::sin(u * 0.31 + v * 0.07) +
                                                         60 * std::cos(v * 0.23 - u * 0.11));
    }
  }
  return picture;
}

TEST(CropFace, OfAFaceInPlaceIsThePictureItself) {
  const cv::Mat picture = textured({48, 48});
  cv::Mat crop;
  crop_face(grey_view(picture), placed_face({}, 1, {}), {}, crop);
  EXPECT_EQ(cv::norm(crop, picture, cv::NORM_INF), 0);
}

TEST(CropFace, WholePixelShiftIsExact) {
  const cv::Mat picture = textured({200, 150});
  cv::Mat crop;
  crop_face(grey_view(picture), placed_face({}, 1, {70, 33}), {}, crop);
  EXPECT_EQ(cv::norm(crop, picture({70, 33, 48, 48}), cv::NORM_INF), 0);
}

TEST(CropFace, WholeFactorsAverageBlocks) {
  // Pixel edges, not centres, scale: any slip of half a pixel shows.
  for (const int factor : {2, 3, 4, 5, 8}) {
    const cv::Mat picture = textured({600, 600}, factor);
    cv::Mat crop, wanted;
    const cv::Point shift(factor * 7, factor * 9);
    crop_face(grey_view(picture), placed_face({}, static_cast<float>(factor), cv::Point2f(shift)),
              {}, crop);
    cv::resize(picture({shift, cv::Size(48 * factor, 48 * factor)}), wanted, {48, 48}, 0, 0,
               cv::INTER_AREA);
    EXPECT_LT(mean_difference(crop, wanted), 1.0) << factor;
  }
}

TEST(CropFace, EnlargedFaceLiesWhereItShould) {
  const cv::Mat picture = textured({60, 60});
  cv::Mat crop, wanted;
  crop_face(grey_view(picture), placed_face({}, 0.5f, {10, 12}), {}, crop);
  cv::Mat large;
  cv::resize(picture, large, {}, 2, 2, cv::INTER_CUBIC);
  EXPECT_LT(mean_difference(crop, large({20, 24, 48, 48})), 0.6);
}

TEST(CropFace, DoesNotAlias) {
  // A checkerboard of single pixels is a grey field from afar.
  cv::Mat picture(600, 600, CV_8UC1);
  for (int y = 0; y < 600; ++y) {
    for (int x = 0; x < 600; ++x) picture.at<uchar>(y, x) = (x + y) % 2 ? 255 : 0;
  }
  Face face = placed_face({}, 8.37f, {60, 50});
  cv::Mat crop;
  crop_face(grey_view(picture), face, {}, crop);
  double min, max;
  cv::minMaxLoc(crop, &min, &max);
  EXPECT_GT(min, 118);
  EXPECT_LT(max, 138);
}

TEST(CropFace, TurnsTheFaceUpright) {
  cv::Mat upright = test::drawn_background({400, 400}), tilted = upright.clone();
  const test::DrawnFace drawn = test::draw_face_at(upright, {{200, 200}, 200});
  const test::DrawnFace turned =
      test::draw_face_at(tilted, {.centre = {190, 210}, .height = 200, .tilt = 25});
  Face a, b;
  a.landmarks = drawn.landmarks;
  b.landmarks = turned.landmarks;
  cv::Mat first, second;
  crop_face(RawFrame(upright, PixelFormat::kBgr).view(), a, {}, first);
  crop_face(RawFrame(tilted, PixelFormat::kBgr).view(), b, {}, second);
  // The middle of the crops, which hold face only.
  const cv::Rect middle(10, 10, 28, 30);
  EXPECT_LT(mean_difference(first(middle), second(middle)), 4.0);
}

class EveryFormat : public testing::TestWithParam<test::NamedFormat> {};

TEST_P(EveryFormat, GivesTheSameCrop) {
  for (const cv::Size size : {cv::Size(161, 121), cv::Size(320, 240), cv::Size(97, 203)}) {
    test::DrawnFace drawn;
    const cv::Mat picture = test::draw_face(size, &drawn);
    Face face;
    face.landmarks = drawn.landmarks;
    const RawFrame reference(picture, PixelFormat::kBgr, true, 0);
    const RawFrame frame(picture, GetParam().format);
    for (const bool grey : {true, false}) {
      if (!grey && GetParam().format == PixelFormat::kGray8) continue;
      for (const int side : {24, 48, 112}) {
        const CropSpec spec{.width = side, .height = side, .grey = grey};
        cv::Mat wanted, found;
        crop_face(reference.view(), face, spec, wanted);
        crop_face(frame.view(), face, spec, found);
        ASSERT_EQ(found.type(), grey ? CV_8UC1 : CV_8UC3);
        ASSERT_EQ(found.size(), cv::Size(side, side));
        // Colour at half the resolution differs at edges.
        EXPECT_LT(mean_difference(found, wanted), grey ? 1.0 : 3.0) << size << " " << side;
        crop_whole(reference.view(), spec, wanted);
        crop_whole(frame.view(), spec, found);
        EXPECT_LT(mean_difference(found, wanted), grey ? 1.0 : 3.0) << size << " " << side;
      }
    }
  }
}

TEST_P(EveryFormat, LimitedRangeLooksLikeFullRange) {
  test::DrawnFace drawn;
  const cv::Mat picture = test::draw_face({320, 240}, &drawn);
  Face face;
  face.landmarks = drawn.landmarks;
  for (const bool grey : {true, false}) {
    const CropSpec spec{.grey = grey};
    cv::Mat wanted, found;
    crop_face(RawFrame(picture, GetParam().format).view(), face, spec, wanted);
    crop_face(RawFrame(picture, GetParam().format, false).view(), face, spec, found);
    EXPECT_LT(mean_difference(found, wanted), 1.5);
  }
}

TEST_P(EveryFormat, ReadsAnySizeAndPlace) {
  const cv::Mat large = test::draw_face({33, 31});
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(1, 7), cv::Size(2, 2), cv::Size(3, 1),
                              cv::Size(5, 5), cv::Size(33, 31)}) {
    const cv::Mat picture = large({{0, 0}, size}).clone();
    const RawFrame frame(picture, GetParam().format);
    for (const float scale : {0.02f, 0.7f, 30.f}) {
      for (const cv::Point2f shift : {cv::Point2f(0, 0), cv::Point2f(-500, 3), cv::Point2f(2, 1e6f),
                                      cv::Point2f(-1e5f, -1e5f)}) {
        for (const bool grey : {true, false}) {
          const CropSpec spec{.width = 31, .height = 17, .grey = grey};
          cv::Mat crop;
          crop_face(frame.view(), placed_face(spec, scale, shift), spec, crop);
          EXPECT_EQ(crop.size(), cv::Size(31, 17));
          crop_whole(frame.view(), spec, crop);
          EXPECT_EQ(crop.size(), cv::Size(31, 17));
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat, testing::ValuesIn(test::kAllFormats),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(CropFace, RepeatsTheBorderOutsideOfTheFrame) {
  // Left half 40, right half 200: what lies left of the frame is 40, right of it 200.
  cv::Mat picture(48, 48, CV_8UC1, cv::Scalar(40));
  picture.colRange(24, 48) = 200;
  cv::Mat crop;
  crop_face(grey_view(picture), placed_face({}, 1, {-30, 0}), {}, crop);
  EXPECT_EQ(crop.at<uchar>(20, 0), 40);
  EXPECT_EQ(crop.at<uchar>(20, 53 - 30), 40);
  crop_face(grey_view(picture), placed_face({}, 1, {5000, -900}), {}, crop);
  EXPECT_EQ(cv::norm(crop, cv::Mat(48, 48, CV_8UC1, cv::Scalar(200)), cv::NORM_INF), 0);
}

TEST(CropFace, LimitedRangeIsStretched) {
  cv::Mat picture(48, 48, CV_8UC1, cv::Scalar(16));
  picture.colRange(24, 48) = 235;
  picture.at<uchar>(0, 0) = 3;
  picture.at<uchar>(0, 47) = 250;
  const cv::Mat before = picture.clone();
  FrameView view = grey_view(picture);
  view.full_range = false;
  cv::Mat crop;
  crop_face(view, placed_face({}, 1, {}), {}, crop);
  EXPECT_EQ(crop.at<uchar>(10, 5), 0);
  EXPECT_EQ(crop.at<uchar>(10, 40), 255);
  EXPECT_EQ(crop.at<uchar>(0, 0), 0);
  EXPECT_EQ(crop.at<uchar>(0, 47), 255);
  EXPECT_EQ(cv::norm(picture, before, cv::NORM_INF), 0) << "the frame was written to";
}

TEST(CropFace, ReusesTheBufferThatFits) {
  const cv::Mat picture = textured({100, 100});
  cv::Mat crop(48, 48, CV_8UC1);
  const uchar* memory = crop.data;
  crop_face(grey_view(picture), placed_face({}, 1.3f, {5, 5}), {}, crop);
  EXPECT_EQ(crop.data, memory);
  crop_whole(grey_view(picture), {}, crop);
  EXPECT_EQ(crop.data, memory);
}

TEST(CropWhole, OwnsItsPixels) {
  const cv::Mat picture = textured({48, 48});
  cv::Mat crop;
  crop_whole(grey_view(picture), {}, crop);
  EXPECT_NE(crop.data, picture.data);
  EXPECT_EQ(cv::norm(crop, picture, cv::NORM_INF), 0);
}

TEST(CropFace, RefusesFramesAndCropsWithoutPixels) {
  const cv::Mat picture = textured({64, 64});
  const FrameView good = grey_view(picture);
  const Face face = placed_face({}, 1, {});
  cv::Mat crop;
  FrameView bad = good;
  bad.width = 0;
  EXPECT_THROW(crop_face(bad, face, {}, crop), std::invalid_argument);
  bad = good;
  bad.data[0] = nullptr;
  EXPECT_THROW(crop_face(bad, face, {}, crop), std::invalid_argument);
  bad = good;
  bad.stride[0] = 63;
  EXPECT_THROW(crop_whole(bad, {}, crop), std::invalid_argument);
  bad = good;
  bad.format = PixelFormat::kNv12;  // has no chroma plane
  EXPECT_THROW(crop_face(bad, face, {}, crop), std::invalid_argument);
  EXPECT_THROW(crop_face(good, face, {.width = 0}, crop), std::invalid_argument);
  EXPECT_THROW(crop_whole(good, {.height = -1}, crop), std::invalid_argument);
}

// --- Frames in a device's memory.

/// Gives each picture, each channel and each pixel bytes of its own, and counts.
class CountingMemory final : public FrameMemory {
 public:
  void cut(const FrameView& frame, std::span<const CropPlan> plans, const Picture& picture,
           std::uint8_t* out) override {
    EXPECT_EQ(frame.memory, this);
    ++cuts;
    last.assign(plans.begin(), plans.end());
    for (int i = 0; i < static_cast<int>(plans.size()) * picture.bytes(); ++i)
      out[i] = static_cast<std::uint8_t>(i * 7);
  }
  bool find_cells(const FrameView&, int, int, const std::shared_ptr<const GridLayers>&, float,
                  std::vector<GridCandidate>&) override {
    return false;
  }
  int cuts = 0;
  std::vector<CropPlan> last;
};

TEST(FramesOnADevice, GiveAllCropsInOneCut) {
  const cv::Mat picture = textured({100, 90});
  CountingMemory memory;
  FrameView frame = grey_view(picture);
  frame.memory = &memory;
  std::vector<std::uint8_t> bytes{1, 2, 3};
  append_crops(frame, {placed_face({}, 1, {5, 5}), placed_face({}, 1.5f, {9, 2})}, {}, bytes);
  EXPECT_EQ(memory.cuts, 1);
  ASSERT_EQ(bytes.size(), 3 + 2 * 48 * 48);
  EXPECT_EQ(bytes[2], 3);
  EXPECT_EQ(bytes[3 + 1000], static_cast<std::uint8_t>(7000));
  frame.width = 0;
  EXPECT_THROW(append_crops(frame, {placed_face({}, 1, {})}, {}, bytes), std::invalid_argument);
}

TEST(FramesOnADevice, GiveCropsAsOtherFramesDo) {
  const cv::Mat picture = textured({100, 90});
  CountingMemory memory;
  FrameView frame = grey_view(picture);
  frame.memory = &memory;
  cv::Mat crop;
  crop_face(frame, placed_face({}, 1, {5, 5}), {.width = 20, .height = 10, .grey = false}, crop);
  ASSERT_EQ(crop.type(), CV_8UC3);
  ASSERT_EQ(crop.size(), cv::Size(20, 10));
  for (int channel = 0; channel < 3; ++channel)
    EXPECT_EQ(crop.at<cv::Vec3b>(2, 3)[channel],
              static_cast<std::uint8_t>((channel * 200 + 43) * 7));
  crop_whole(frame, {.width = 20, .height = 10}, crop);
  ASSERT_EQ(crop.type(), CV_8UC1);
  EXPECT_EQ(crop.at<uchar>(2, 3), static_cast<std::uint8_t>(43 * 7));
  ASSERT_EQ(memory.last.size(), 1u);
  EXPECT_EQ(memory.last[0].width, 100);
  EXPECT_EQ(memory.last[0].rows, 10);
}

TEST(AppendCrops, IsCropFaceOneByOne) {
  const cv::Mat picture = textured({100, 90});
  const std::vector<Face> faces{placed_face({}, 1, {5, 5}), placed_face({}, 1.5f, {9, 2})};
  std::vector<std::uint8_t> together, apart;
  append_crops(grey_view(picture), faces, {}, together);
  for (const Face& face : faces) {
    cv::Mat crop;
    crop_face(grey_view(picture), face, {}, crop);
    append_planar(crop, apart);
  }
  EXPECT_EQ(together, apart);
}

}  // namespace
}  // namespace fer
