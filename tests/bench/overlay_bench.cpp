// What feroverlay costs a frame: the arguments are width, height and faces. The harness around the
// element is in the figures; a frame without faces shows how much that is.
#include <benchmark/benchmark.h>
#include <gst/check/gstharness.h>

#include <string>

#include "elements/made_up_faces.h"

namespace fer {
namespace {

void overlay(benchmark::State& state, const char* format) {
  const int width = static_cast<int>(state.range(0)), height = static_cast<int>(state.range(1));
  const int count = static_cast<int>(state.range(2));
  GstVideoInfo info;
  gst_video_info_set_format(&info, gst_video_format_from_string(format), static_cast<guint>(width),
                            static_cast<guint>(height));
  // Faces of a quarter of the frame's height in a grid of five columns, or one of half of it.
  std::vector<FaceRecord> faces;
  for (int i = 0; i < count; ++i) {
    const FaceRecord face = count == 1 ? test::face_at(0.3, 0.25, 0.2, 0.5, 1)
                                       : test::face_at(0.02 + 0.2 * (i % 5), 0.15 + 0.4 * (i / 5),
                                                       0.1, 0.25, static_cast<guint64>(i) + 1);
    faces.push_back(test::with_landmarks(test::with_expression(face, i % 8)));
  }
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  gst_buffer_memset(buffer, 0, 100, GST_VIDEO_INFO_SIZE(&info));
  face_meta_write(buffer, info, faces);
  GstHarness* harness = gst_harness_new("feroverlay");
  const std::string caps = "video/x-raw,framerate=30/1,format=" + std::string(format) +
                           ",width=" + std::to_string(width) + ",height=" + std::to_string(height);
  gst_harness_set_src_caps_str(harness, caps.c_str());
  for (auto _ : state) buffer = gst_harness_push_and_pull(harness, buffer);
  gst_buffer_unref(buffer);
  gst_harness_teardown(harness);
}

void sizes(benchmark::internal::Benchmark* bench) {
  for (const int faces : {0, 1, 10}) {
    bench->Args({640, 360, faces});
    bench->Args({1920, 1080, faces});
  }
  bench->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(overlay, NV12, "NV12")->Apply(sizes);
BENCHMARK_CAPTURE(overlay, BGRx, "BGRx")->Apply(sizes);

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
