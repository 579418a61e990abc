// Times of the kernels on a CUDA device, as one JSON object on standard output: seconds a launch by
// the device's own clock, what was moved, and the bandwidth of a plain copy to hold it against.
// scripts/gpu-check runs it.
//
//   gpu-bench [DEVICE]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "kernels/device_grid_detector.h"
#include "kernels/open_kernels.h"
#include "unit/kernels/detector_layers.h"
#include "unit/kernels/detector_maps.h"
#include "unit/kernels/device_array.h"
#include "unit/kernels/device_step.h"
#include "unit/kernels/pseudo_label_data.h"
#include "unit/kernels/random_frames.h"

namespace fer {
namespace {

using kernels::Batch;
using kernels::KernelTable;
using test::check_cuda;
using test::DeviceArray;

/// Throws where a launch says why it was none.
void launched(const char* error) {
  if (error) throw std::runtime_error(error);
}

/// Median over rounds of the seconds that a launch takes, many launches a round.
double seconds_of(const std::function<void()>& launch) {
  cudaEvent_t begin, end;
  check_cuda(cudaEventCreate(&begin));
  check_cuda(cudaEventCreate(&end));
  const auto round = [&](int launches) {
    check_cuda(cudaEventRecord(begin));
    for (int i = 0; i < launches; ++i) launch();
    check_cuda(cudaEventRecord(end));
    check_cuda(cudaEventSynchronize(end));
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, begin, end));
    return milliseconds * 1e-3 / launches;
  };
  round(3);
  const int launches = std::clamp(static_cast<int>(0.02 / std::max(round(3), 1e-7)), 3, 2000);
  std::vector<double> rounds;
  for (int i = 0; i < 11; ++i) rounds.push_back(round(launches));
  std::nth_element(rounds.begin(), rounds.begin() + 5, rounds.end());
  return rounds[5];
}

void report(const char* name, double seconds, double bytes) {
  std::printf(",\n  \"%s\": {\"seconds\": %.9g, \"bytes\": %.9g}", name, seconds, bytes);
}

void bench_copy() {
  constexpr std::size_t kBytes = std::size_t{1} << 30;
  DeviceArray<std::uint8_t> from(kBytes), to(kBytes);
  const double seconds = seconds_of([&] {
    check_cuda(cudaMemcpyAsync(to.data(), from.data(), kBytes, cudaMemcpyDeviceToDevice));
  });
  report("copy", seconds, 2.0 * kBytes);
}

/// Frames of 1080p on the device, and the kernels' view of them.
struct Frames {
  std::vector<test::RandomFrame> frames;
  std::vector<std::unique_ptr<DeviceArray<std::uint8_t>>> planes;
  std::vector<kernels::FramePlanes> there;
  std::vector<FrameView> views;

  Frames(int count, std::mt19937& random) {
    for (int i = 0; i < count; ++i)
      frames.emplace_back(PixelFormat::kNv12, 1920, 1080, random, test::Pitch::kAligned);
    for (const test::RandomFrame& frame : frames) {
      views.push_back(frame.view);
      there.push_back(kernels::planes_of(frame.view));
      for (std::size_t p = 0; p < 2; ++p) {
        planes.push_back(std::make_unique<DeviceArray<std::uint8_t>>(frame.planes[p]));
        there.back().view.data[p] = planes.back()->data();
      }
    }
  }
};

/// Upright faces of about 96 pixels: each crop reads 96 x 96 of luma once.
void bench_warp(const KernelTable& table, const char* name, int frame_count, int faces, bool grey) {
  constexpr int kSide = 48;
  std::mt19937 random(1);
  const Frames frames(frame_count, random);
  std::vector<kernels::FaceWarp> warps;
  for (int i = 0; i < faces; ++i) {
    const double x = static_cast<double>(random() % 1800), y = static_cast<double>(random() % 960);
    warps.push_back(kernels::face_warp(i % frame_count, {0.5, 0.05, -0.5 * x, -0.05, 0.5, -0.5 * y},
                                       1920, 1080, kSide, kSide));
  }
  DeviceArray<kernels::FramePlanes> planes(frames.there);
  DeviceArray<kernels::FaceWarp> faces_there(warps);
  const int channels = grey ? 1 : 3;
  const std::size_t values =
      static_cast<std::size_t>(faces) * kSide * kSide * static_cast<std::size_t>(channels);
  DeviceArray<float> out(values);
  kernels::WarpFaces warp;
  warp.frames = planes.data();
  warp.frame_count = frame_count;
  warp.faces = faces_there.data();
  warp.count = faces;
  warp.out = {out.data(), Batch::kFp32, Batch::kNchw, channels, kSide, kSide};
  const double seconds = seconds_of([&] { launched(table.warp_faces(warp, nullptr)); });
  report(name, seconds, static_cast<double>(values) * 4 + faces * 96.0 * 96 * (grey ? 1 : 1.5));
}

void bench_resize(const KernelTable& table) {
  constexpr int kFrames = 64;
  std::mt19937 random(2);
  const Frames frames(kFrames, random);
  std::vector<kernels::ResizeLuma::Frame> list;
  for (const auto& planes : frames.there) list.push_back({planes, 640, 360});
  DeviceArray<kernels::ResizeLuma::Frame> there(list);
  DeviceArray<float> out(kFrames * 640 * 384);
  kernels::ResizeLuma resize;
  resize.frames = there.data();
  resize.count = kFrames;
  resize.out = {out.data(), Batch::kFp32, Batch::kNchw, 1, 384, 640};
  const double seconds = seconds_of([&] { launched(table.resize_luma(resize, nullptr)); });
  report("resize_luma", seconds, kFrames * (1920.0 * 1080 + 640 * 384 * 4));
}

void bench_decode(const KernelTable& table) {
  test::DetectorMaps maps(64, 48, 80, 3, 0.01f);
  std::vector<std::unique_ptr<DeviceArray<float>>> there;
  kernels::DecodeDetections decode = maps.decode;
  double bytes = 0;
  for (std::size_t level = 0; level < 3; ++level) {
    there.push_back(std::make_unique<DeviceArray<float>>(maps.maps[level]));
    decode.maps[level] = there.back()->data();
    bytes += 4.0 * static_cast<double>(maps.maps[level].size()) / kCellValues;
  }
  DeviceArray<GridCandidate> faces(maps.faces.size());
  DeviceArray<int> face_counts(maps.face_counts), guess_counts(maps.guess_counts);
  decode.faces = faces.data();
  decode.face_counts = face_counts.data();
  decode.guess_counts = guess_counts.data();
  const double seconds = seconds_of([&] { launched(table.decode_detections(decode, nullptr)); });
  report("decode_detections", seconds, bytes);
}

/// A network of the shipped detector's size over 640 x 384 pixels, from the input to the faces on
/// the processor; the launches and the wait for them included.
void bench_network(const KernelTable& table) {
  const auto layers = std::make_shared<const GridLayers>(test::DetectorLayers(3).layers);
  kernels::DeviceGridDetector cells(table, layers, nullptr);
  check_cuda(cudaMemset(cells.input(384, 640), 0, sizeof(float) * 384 * 640));
  std::vector<GridCandidate> faces;
  const double seconds = seconds_of([&] {
    faces.clear();
    cells.run(0.6f, nullptr, faces);
  });
  report("detector_network", seconds, 0);
}

void bench_augment(const KernelTable& table, const char* name, int faces) {
  constexpr int kSide = 48;
  std::mt19937 random(4);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(faces) * kSide * kSide);
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
  DeviceArray<std::uint8_t> crops(pixels);
  DeviceArray<float> weak(pixels.size()), strong(pixels.size());
  kernels::Augment augment;
  augment.crops = crops.data();
  augment.count = faces;
  augment.side = kSide;
  augment.strong.config = {};
  augment.weak.out = {weak.data(), Batch::kFp32, Batch::kNchw, 1, kSide, kSide};
  augment.strong.out = augment.weak.out;
  augment.strong.out.data = strong.data();
  DeviceArray<std::uint8_t> workspace(table.augment_workspace(augment));
  augment.workspace = workspace.data();
  const double seconds = seconds_of([&] {
    launched(table.augment(augment, nullptr));
    augment.position += static_cast<std::uint64_t>(faces);
  });
  report(name, seconds, static_cast<double>(pixels.size()) * (1 + 4 + 4));
}

void bench_step(const KernelTable& table) {
  test::StepData data(4096, 512, 8, 1);
  data.state = kernels::first_state(data.step.thresholds, 8);
  test::DeviceStep on_device(data, table.pseudo_label_workspace());
  kernels::PseudoLabelStep& step = on_device.step;
  step.chosen = nullptr;  // which classes were ruled out: nobody asks
  const double seconds = seconds_of([&] { launched(table.pseudo_label_step(step, nullptr)); });
  report("pseudo_label_step", seconds, 4096.0 * (8 * 4 * 3 + 8 + 4 + 4));
}

void run(int device) {
  const KernelTable& table = kernels::open_kernels(device);
  check_cuda(cudaSetDevice(device));
  cudaDeviceProp card;
  check_cuda(cudaGetDeviceProperties(&card, device));
  int driver = 0;
  check_cuda(cudaDriverGetVersion(&driver));
  std::printf("{\n  \"card\": \"%s\", \"capability\": \"%d.%d\", \"toolkit\": %d, \"driver\": %d",
              card.name, card.major, card.minor, table.toolkit, driver);
  bench_copy();
  bench_warp(table, "warp_faces", 16, 100000, /*grey=*/true);
  bench_warp(table, "warp_faces_rgb", 16, 50000, /*grey=*/false);
  bench_warp(table, "warp_faces_64", 1, 64, /*grey=*/false);
  bench_resize(table);
  bench_decode(table);
  bench_network(table);
  bench_augment(table, "augment", 100000);
  bench_augment(table, "augment_512", 512);
  bench_step(table);
  std::printf("\n}\n");
}

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  try {
    fer::run(argc > 1 ? std::atoi(argv[1]) : 0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu-bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
