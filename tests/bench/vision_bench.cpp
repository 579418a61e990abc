// Speed of libfer-vision: detection, crops against converting the whole frame, tracking.
#include <benchmark/benchmark.h>

#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "data/drawn_face.h"
#include "unit/vision/raw_frame.h"
#include "vision/align.h"
#include "vision/detector.h"
#include "vision/tracker.h"

namespace fer {
namespace {

void detect(benchmark::State& state, const DetectorConfig& config) {
  const cv::Size size(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const DetectorModel model = find_detector_model();
  if (model.path.empty()) {
    state.SkipWithError("no detector model; scripts/models gets it");
    return;
  }
  const auto detector = open_detector(model.path);
  const test::RawFrame frame(test::draw_face(size), PixelFormat::kNv12, false, 0);
  std::size_t faces = 0;
  for (auto _ : state) {
    faces = detector->detect(frame.view(), config).size();
  }
  state.SetLabel(detector->name() + ", faces found: " + std::to_string(faces));
}

void BM_Detect(benchmark::State& state) {
  detect(state, {});
}
BENCHMARK(BM_Detect)
    ->Args({320, 180})
    ->Args({640, 360})
    ->Args({1920, 1080})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_DetectSmallFacesToo(benchmark::State& state) {
  detect(state, {.small_faces = true});
}
BENCHMARK(BM_DetectSmallFacesToo)
    ->Args({320, 180})
    ->Args({640, 360})
    ->Args({1920, 1080})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_DetectInFullSize(benchmark::State& state) {
  detect(state, {.detect_width = 0});
}
BENCHMARK(BM_DetectInFullSize)->Args({1920, 1080})->UseRealTime()->Unit(benchmark::kMillisecond);

/// A 1080p NV12 frame with one face, `height` pixels high.
struct Scene {
  explicit Scene(float height) : picture(test::drawn_background({1920, 1080})) {
    const test::DrawnFace drawn =
        test::draw_face_at(picture, {.centre = {900, 500}, .height = height, .tilt = 10});
    face.box = drawn.box;
    face.landmarks = drawn.landmarks;
  }

  cv::Mat picture;
  Face face;
};

void BM_CropFace(benchmark::State& state) {
  const Scene scene(static_cast<float>(state.range(0)));
  const test::RawFrame frame(scene.picture, PixelFormat::kNv12, true, 0);
  cv::Mat crop;
  for (auto _ : state) crop_face(frame.view(), scene.face, {}, crop);
}
BENCHMARK(BM_CropFace)->Arg(60)->Arg(300)->Arg(900)->UseRealTime()->Unit(benchmark::kMicrosecond);

void BM_CropFaceColour(benchmark::State& state) {
  const Scene scene(static_cast<float>(state.range(0)));
  const test::RawFrame frame(scene.picture, PixelFormat::kNv12, true, 0);
  cv::Mat crop;
  for (auto _ : state) {
    crop_face(frame.view(), scene.face, {.width = 112, .height = 112, .grey = false}, crop);
  }
}
BENCHMARK(BM_CropFaceColour)->Arg(300)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// What one writes without the library: the frame to BGR, to grey, the face warped out of it (which
/// aliases where it shrinks the face).
void BM_ConvertFrameThenWarp(benchmark::State& state) {
  const Scene scene(static_cast<float>(state.range(0)));
  const test::RawFrame frame(scene.picture, PixelFormat::kNv12, true, 0);
  const FrameView& view = frame.view();
  const cv::Mat luma(view.height, view.width, CV_8UC1, const_cast<std::uint8_t*>(view.data[0]),
                     static_cast<std::size_t>(view.stride[0]));
  const cv::Mat chroma(view.height / 2, view.width / 2, CV_8UC2,
                       const_cast<std::uint8_t*>(view.data[1]),
                       static_cast<std::size_t>(view.stride[1]));
  const cv::Mat transform = align_transform(scene.face, {});
  cv::Mat bgr, grey, crop;
  for (auto _ : state) {
    cv::cvtColorTwoPlane(luma, chroma, bgr, cv::COLOR_YUV2BGR_NV12);
    cv::cvtColor(bgr, grey, cv::COLOR_BGR2GRAY);
    cv::warpAffine(grey, crop, transform, {48, 48}, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  }
}
BENCHMARK(BM_ConvertFrameThenWarp)->Arg(300)->UseRealTime()->Unit(benchmark::kMicrosecond);

void BM_TrackerUpdate(benchmark::State& state) {
  const auto count = static_cast<int>(state.range(0));
  Tracker tracker;
  std::vector<Face> faces(static_cast<std::size_t>(count));
  float shift = 0;
  for (auto _ : state) {
    shift = shift > 100 ? 0 : shift + 1;
    for (int i = 0; i < count; ++i) {
      Face& face = faces[static_cast<std::size_t>(i)];
      face.box = {static_cast<float>(i % 20) * 90 + shift, static_cast<float>(i / 20) * 110, 80,
                  100};
      face.score = 0.9f;
    }
    benchmark::DoNotOptimize(tracker.update(faces));
  }
}
BENCHMARK(BM_TrackerUpdate)->Arg(1)->Arg(50)->Arg(200)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fer

BENCHMARK_MAIN();
