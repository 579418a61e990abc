// Every kernel against its CPU form. Skips, with the reason, where no device answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/blend_shapes.h"
#include "kernels/open_kernels.h"
#include "unit/kernels/detector_maps.h"
#include "unit/kernels/device_array.h"
#include "unit/kernels/device_step.h"
#include "unit/kernels/pseudo_label_data.h"
#include "unit/kernels/random_frames.h"

namespace fer::kernels {
namespace {

using test::DeviceArray;

class GpuKernels : public testing::Test {
 protected:
  void SetUp() override {
    try {
      table_ = &open_kernels();
    } catch (const std::runtime_error& reason) {
      GTEST_SKIP() << reason.what();
    }
  }

  static void done(const char* error) {
    ASSERT_EQ(error, nullptr) << error;
    test::check_cuda(cudaDeviceSynchronize());
  }

  const KernelTable* table_ = nullptr;
};

/// True for more elements than FER_GPU_TEST_LARGEST says: what runs a hundred times slower under
/// compute-sanitizer than without leaves them out.
bool too_large(int count) {
  const char* largest = std::getenv("FER_GPU_TEST_LARGEST");
  return largest && count > std::atoi(largest);
}

/// These shapes, and some that `draw` draws.
template <typename Shape, typename Draw>
std::vector<Shape> and_random(std::vector<Shape> shapes, unsigned seed, const Draw& draw) {
  std::mt19937 random(seed);
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 4; ++i) shapes.push_back(draw(between));
  return shapes;
}

/// How far two arrays are from each other: the largest difference, and the share of values that
/// differ by more than `near`. What is no number on both sides is the same.
struct Apart {
  double largest = 0, share = 0;
};
template <typename Value>
Apart apart(const std::vector<Value>& a, const std::vector<Value>& b, double near) {
  EXPECT_EQ(a.size(), b.size());
  Apart result;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != a[i] && b[i] != b[i]) continue;
    const double one = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    result.largest = std::max(result.largest, one);
    result.share += !(one <= near);
  }
  if (!a.empty()) result.share /= static_cast<double>(a.size());
  return result;
}

/// A step on the device, with the results where the processor's are.
void step_on_device(const KernelTable& table, test::StepData& data, int steps) {
  test::DeviceStep on_device(data, table.pseudo_label_workspace());
  PseudoLabelStep& step = on_device.step;
  for (int i = 0; i < steps; ++i, ++step.step) {
    const char* error = table.pseudo_label_step(step, nullptr);
    ASSERT_EQ(error, nullptr) << error;
  }
  on_device.read(data);
}

TEST_F(GpuKernels, RunLayerIsTheProcessors) {
  struct Shape {
    GridLayer::Kind kind;
    int in, seen, out, height, width, kernel, stride;
  };
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  const auto noise = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
  };
  for (const Shape& s : {Shape{GridLayer::kConv, 1, 1, 24, 96, 160, 7, 4},
                         {GridLayer::kConv, 24, 1, 24, 24, 40, 3, 2},
                         {GridLayer::kConv, 24, 24, 40, 23, 41, 1, 1},
                         {GridLayer::kConv, 3, 3, 5, 1, 7, 3, 1},
                         {GridLayer::kEnlarge, 40, 0, 40, 11, 19, 1, 1},
                         {GridLayer::kAdd, 40, 0, 40, 22, 38, 1, 1}}) {
    const bool conv = s.kind == GridLayer::kConv;
    const auto after = [&](int side) {
      if (s.kind == GridLayer::kEnlarge) return 2 * side;
      return conv ? (side + 2 * (s.kernel / 2) - s.kernel) / s.stride + 1 : side;
    };
    RunLayer layer;
    layer.kind = s.kind;
    layer.relu = s.kind != GridLayer::kEnlarge;
    layer.from = layer.other = {nullptr, s.in, s.height, s.width};
    layer.to = {nullptr, s.out, after(s.height), after(s.width)};
    layer.seen = s.seen;
    layer.kernel = s.kernel;
    layer.stride = s.stride;
    layer.pad = s.kernel / 2;
    std::vector<float> from = noise(value_count(layer.from)), other = noise(from.size());
    std::vector<float> bias = noise(static_cast<std::size_t>(s.out)),
                       weight =
                           noise(static_cast<std::size_t>(s.out * s.seen * s.kernel * s.kernel));
    std::vector<float> here(value_count(layer.to));
    DeviceArray<float> from_there(from), other_there(other), weight_there(weight), bias_there(bias),
        there(here.size());
    RunLayer on_device = layer;
    on_device.from.data = from_there.data();
    on_device.other.data = other_there.data();
    on_device.to.data = there.data();
    on_device.weight = weight_there.data();
    on_device.bias = bias_there.data();
    done(table_->run_layer(on_device, nullptr));
    layer.from.data = from.data();
    layer.other.data = other.data();
    layer.to.data = here.data();
    layer.weight = weight.data();
    layer.bias = bias.data();
    run_layer(layer);
    EXPECT_LT(apart(there.values(), here, 0).largest, 1e-4)
        << s.in << " to " << s.out << " channels, kernel " << s.kernel;
  }
}

TEST_F(GpuKernels, PseudoLabelStepIsTheProcessors) {
  struct Shape {
    int rows, labelled, classes;
  };
  unsigned seed = 0;
  const std::vector<Shape> shapes{{0, 0, 8},       {0, 33, 7},    {1, 1, 2},
                                  {31, 0, 8},      {257, 100, 7}, {4096, 512, 8},
                                  {1000, 300, 10}, {333, 77, 64}, {100000, 1000, 8}};
  for (const Shape& shape : and_random(shapes, 21, [](const auto& between) {
         return Shape{between(1, 2000), between(0, 500), between(2, 20)};
       })) {
    if (too_large(shape.rows)) continue;
    for (const auto& [threshold, rule] : test::all_thresholds()) {
      for (const auto& [negative, negative_rule] : test::all_negatives()) {
        test::StepData here(shape.rows, shape.labelled, shape.classes, ++seed);
        here.step.thresholds = rule;
        here.step.negatives = negative_rule;
        here.step.lambda_u = shape.rows;  // A gradient of a row's own size.
        here.step.lambda_n = 0.3 * shape.rows;
        here.state = first_state(rule, shape.classes);
        test::StepData there = here;
        for (int i = 0; i < 3; ++i, ++here.step.step) pseudo_label_step(here.pointed());
        step_on_device(*table_, there, 3);
        const std::string what = threshold + ", " + negative + ", " + std::to_string(shape.rows);
        EXPECT_EQ(there.pseudo_labels, here.pseudo_labels) << what;
        EXPECT_LT(apart(there.confidence, here.confidence, 0).largest, 1e-6) << what;
        // The device's e^x and log may differ in the last bit, and with it a row on the line.
        EXPECT_LT(apart(there.weights, here.weights, 1e-5).share, 1e-4) << what;
        EXPECT_LT(apart(there.chosen, here.chosen, 0).share, 1e-4) << what;
        EXPECT_LT(apart(there.gradient, here.gradient, 1e-5).share, 1e-4) << what;
        EXPECT_LT(apart(there.losses, here.losses, 0).largest, 1e-4) << what;
        for (int k = 0; k < shape.classes; ++k)
          EXPECT_NEAR(there.state.thresholds[k], here.state.thresholds[k], 1e-6) << what;
      }
    }
  }
}

TEST_F(GpuKernels, PseudoLabelStepGivesTheSameInEveryRun) {
  test::StepData first(50000, 5000, 8, 3);
  first.step.thresholds = ThresholdRule::of<Free>();
  first.state = first_state(first.step.thresholds, 8);
  test::StepData second = first;
  step_on_device(*table_, first, 5);
  step_on_device(*table_, second, 5);
  EXPECT_EQ(first.losses, second.losses);
  EXPECT_EQ(first.gradient, second.gradient);
  EXPECT_EQ(first.state.of<Free>().tau, second.state.of<Free>().tau);
}

/// Frames on the device beside those of the processor.
struct DeviceFrames {
  std::vector<std::unique_ptr<DeviceArray<std::uint8_t>>> planes;
  std::vector<FramePlanes> here, there;

  explicit DeviceFrames(const std::vector<test::RandomFrame>& frames) {
    for (const test::RandomFrame& frame : frames) {
      here.push_back(planes_of(frame.view));
      there.push_back(here.back());
      for (std::size_t i = 0; i < 3; ++i) {
        if (frame.planes[i].empty()) continue;
        planes.push_back(std::make_unique<DeviceArray<std::uint8_t>>(frame.planes[i]));
        there.back().view.data[i] = planes.back()->data();
      }
    }
  }
};

constexpr PixelFormat kFormats[] = {PixelFormat::kGray8, PixelFormat::kNv12, PixelFormat::kI420,
                                    PixelFormat::kRgb,   PixelFormat::kBgrx, PixelFormat::kArgb};

std::vector<test::RandomFrame> random_frames(std::mt19937& random) {
  std::vector<test::RandomFrame> frames;
  for (const PixelFormat format : kFormats) {
    const auto side = [&] { return 33 + static_cast<int>(random() % 400); };
    const int width = side();
    frames.emplace_back(format, width, side(), random);
  }
  return frames;
}

TEST_F(GpuKernels, WarpFacesIsTheProcessors) {
  std::mt19937 random(11);
  struct Shape {
    int count, width, height;
  };
  const std::vector<Shape> shapes{{0, 48, 48},   {1, 48, 48},    {70, 112, 112},
                                  {501, 37, 53}, {1500, 48, 48}, {100000, 6, 7}};
  for (const Shape& shape : and_random(shapes, 22, [](const auto& between) {
         return Shape{between(1, 1800), between(1, 80), between(1, 80)};
       })) {
    if (too_large(shape.count)) continue;
    for (const auto& [channels, order] :
         {std::pair{1, Batch::kNchw}, std::pair{3, Batch::kNhwc}, std::pair{3, Batch::kNchw}}) {
      const auto frames = random_frames(random);
      DeviceFrames planes(frames);
      std::vector<FrameView> views;
      for (const auto& frame : planes.here) views.push_back(frame.view);
      const auto faces = test::random_faces(shape.count, views, shape.width, shape.height, random);
      const auto values = static_cast<std::size_t>(shape.count) *
                          static_cast<std::size_t>(channels * shape.width * shape.height);
      std::vector<float> expected(values);
      WarpFaces warp;
      warp.frames = planes.here.data();
      warp.frame_count = static_cast<int>(planes.here.size());
      warp.faces = faces.data();
      warp.count = shape.count;
      warp.mean = 0.4f;
      warp.stddev = 0.3f;
      warp.out = {expected.data(), Batch::kFp32, order, channels, shape.height, shape.width};
      warp_faces(warp);

      DeviceArray<FramePlanes> frames_there(planes.there);
      DeviceArray<FaceWarp> faces_there(faces);
      DeviceArray<float> out(values);
      DeviceArray<std::uint16_t> halves(values);
      warp.frames = frames_there.data();
      warp.faces = faces_there.data();
      warp.out.data = out.data();
      done(table_->warp_faces(warp, nullptr));
      const Apart far = apart(out.values(), expected, 1e-4);
      EXPECT_LT(far.largest, 1e-3) << shape.count << ' ' << channels;
      for (const Batch::Type type : {Batch::kFp16, Batch::kBf16}) {
        warp.out.type = type;
        warp.out.data = halves.data();
        done(table_->warp_faces(warp, nullptr));
        std::vector<std::uint16_t> rounded;
        for (const float value : out.values())
          rounded.push_back(type == Batch::kFp16 ? half_bits(value) : bfloat16_bits(value));
        EXPECT_EQ(halves.values(), rounded);
      }
      warp.out.type = Batch::kUint8;
      std::vector<std::uint8_t> bytes(values);
      DeviceArray<std::uint8_t> bytes_there(values);
      warp.out.data = bytes_there.data();
      done(table_->warp_faces(warp, nullptr));
      warp.frames = planes.here.data();
      warp.faces = faces.data();
      warp.out.data = bytes.data();
      warp_faces(warp);
      EXPECT_LE(apart(bytes_there.values(), bytes, 0).largest, 1) << shape.count << ' ' << channels;
    }
  }
}

TEST_F(GpuKernels, ResizeLumaIsTheProcessors) {
  std::mt19937 random(12);
  for (const int width : {640, 320, 96}) {
    auto frames = random_frames(random);
    // What is read a word at a time: whole blocks, rows at a word's boundary; the last almost so.
    for (const int factor : {1, 2, 3, 4, 5, 6})
      frames.emplace_back(PixelFormat::kNv12, factor * width, factor * 90, random,
                          test::Pitch::kAligned);
    frames.emplace_back(PixelFormat::kGray8, 2 * width + 1, 180, random, test::Pitch::kAligned);
    DeviceFrames planes(frames);
    std::vector<ResizeLuma::Frame> here, there;
    for (std::size_t i = 0; i < planes.here.size(); ++i) {
      const FrameView& view = planes.here[i].view;
      const int w = std::min(width, view.width);
      const int h = std::min(448, std::max(1, view.height * w / view.width));
      here.push_back({planes.here[i], w, h});
      there.push_back({planes.there[i], w, h});
    }
    ResizeLuma resize;
    resize.frames = here.data();
    resize.count = static_cast<int>(here.size());
    std::vector<float> expected(here.size() * 448 * 640);
    resize.out = {expected.data(), Batch::kFp32, Batch::kNchw, 1, 448, 640};
    resize_luma(resize);
    DeviceArray<ResizeLuma::Frame> frames_there(there);
    DeviceArray<float> out(expected.size());
    resize.frames = frames_there.data();
    resize.out.data = out.data();
    done(table_->resize_luma(resize, nullptr));
    EXPECT_LT(apart(out.values(), expected, 0).largest, 0.01) << width;
    resize.count = 0;
    done(table_->resize_luma(resize, nullptr));
  }
}

/// Of a frame's bytes: NV12 and RGBA, with shapes that hang over each other.
TEST_F(GpuKernels, BlendShapesIsTheProcessors) {
  std::mt19937 random(14);
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  constexpr int kWidth = 333, kHeight = 201, kStride = 1400;
  for (const bool rgba : {false, true}) {
    const int rows = rgba ? kHeight : kHeight + (kHeight + 1) / 2;
    std::vector<std::uint8_t> expected(static_cast<std::size_t>(rows * kStride));
    for (std::uint8_t& byte : expected) byte = static_cast<std::uint8_t>(random());
    DeviceArray<std::uint8_t> frame(expected);
    std::vector<std::uint8_t> coverage(60 * 60);
    for (std::uint8_t& byte : coverage) byte = static_cast<std::uint8_t>(random());
    std::vector<Shape> shapes;
    for (int i = 0; i < 40; ++i) {
      const int width = between(1, 60), height = between(1, 60);
      shapes.push_back({between(0, kWidth - width),
                        between(0, kHeight - height),
                        width,
                        height,
                        0,
                        i % 3 == 0 ? 0 : 60,
                        static_cast<std::uint8_t>(random()),
                        {static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random()),
                         static_cast<std::uint8_t>(random())}});
    }
    BlendShapes blend;
    blend.canvas.width = kWidth;
    blend.canvas.height = kHeight;
    blend.width = kWidth;
    blend.height = kHeight;
    blend.canvas.plane_count = rgba ? 1 : 2;
    blend.canvas.planes[0] = rgba ? CanvasPlane{nullptr, kStride, 4, false, {0, 1, 2, -1}}
                                  : CanvasPlane{nullptr, kStride, 1, false, {0, -1, -1, -1}};
    blend.canvas.planes[1] = {nullptr, kStride, 2, true, {1, 2, -1, -1}};
    if (rgba) blend.canvas.alpha_offset = 3;
    const auto on = [&](std::uint8_t* bytes) {
      blend.canvas.planes[0].data = bytes;
      if (!rgba) blend.canvas.planes[1].data = bytes + kHeight * kStride;
      return blend;
    };
    BlendShapes here = on(expected.data());
    here.shapes = shapes.data();
    here.count = static_cast<int>(shapes.size());
    here.coverage = coverage.data();
    blend_shapes(here);
    DeviceArray<Shape> shapes_there(shapes);
    DeviceArray<std::uint8_t> coverage_there(coverage);
    BlendShapes there = on(frame.data());
    there.shapes = shapes_there.data();
    there.count = here.count;
    there.coverage = coverage_there.data();
    done(table_->blend_shapes(there, nullptr));
    EXPECT_EQ(frame.values(), expected) << (rgba ? "RGBA" : "NV12");
  }
}

TEST_F(GpuKernels, DecodeDetectionsIsTheProcessors) {
  struct Shape {
    int count, rows, columns;
    float share;
  };
  const std::vector<Shape> shapes{{0, 4, 4, 0},        {1, 4, 4, 0},      {3, 12, 20, 0.1f},
                                  {64, 48, 80, 0.01f}, {2, 48, 80, 0.4f}, {2, 80, 80, 1}};
  for (const Shape& shape : and_random(shapes, 23, [](const auto& between) {
         return Shape{between(1, 20), 4 * between(1, 20), 4 * between(1, 20),
                      static_cast<float>(between(0, 20)) / 100};
       })) {
    test::DetectorMaps here(shape.count, shape.rows, shape.columns, 5, shape.share);
    decode_detections(here.pointed());
    std::vector<std::unique_ptr<DeviceArray<float>>> maps;
    DecodeDetections decode = here.decode;
    for (std::size_t level = 0; level < 3; ++level) {
      maps.push_back(std::make_unique<DeviceArray<float>>(here.maps[level]));
      decode.maps[level] = maps.back()->data();
    }
    DeviceArray<GridCandidate> faces(here.faces.size());
    DeviceArray<int> face_counts(here.face_counts), guess_counts(here.guess_counts);
    decode.faces = faces.data();
    decode.face_counts = face_counts.data();
    decode.guess_counts = guess_counts.data();
    done(table_->decode_detections(decode, nullptr));
    EXPECT_EQ(face_counts.values(), here.face_counts) << shape.rows << ' ' << shape.share;
    EXPECT_EQ(guess_counts.values(), here.guess_counts);
    const auto found = faces.values();
    for (int frame = 0; frame < shape.count; ++frame) {
      for (int i = 0; i < here.face_counts[static_cast<std::size_t>(frame)]; ++i) {
        const GridCandidate& face = found[static_cast<std::size_t>(frame * decode.max_faces + i)];
        ASSERT_NEAR(face.score, here.face(frame, i).score, 1e-6);
        ASSERT_NEAR(face.x, here.face(frame, i).x, 1e-2);
        ASSERT_NEAR(face.points[9], here.face(frame, i).points[9], 1e-2);
      }
    }
  }
}

TEST_F(GpuKernels, AugmentIsTheProcessors) {
  struct Shape {
    int count, channels, side;
  };
  const std::vector<Shape> shapes{{0, 1, 48},   {1, 1, 48},   {300, 1, 48},
                                  {200, 3, 41}, {20, 3, 160}, {100000, 1, 8}};
  for (const Shape& shape : and_random(shapes, 24, [](const auto& between) {
         return Shape{between(1, 500), between(0, 1) == 0 ? 1 : 3, between(8, 120)};
       })) {
    if (too_large(shape.count)) continue;
    std::mt19937 random(13);
    const int stored = 50;
    std::vector<std::uint8_t> crops(
        static_cast<std::size_t>(stored * shape.channels * shape.side * shape.side));
    for (auto& pixel : crops) pixel = static_cast<std::uint8_t>(random());
    std::vector<std::int64_t> rows;
    for (int i = 0; i < shape.count; ++i)
      rows.push_back(static_cast<std::int64_t>(random() % stored));
    const auto values = static_cast<std::size_t>(shape.count) * crops.size() / stored;
    std::vector<float> weak(values), strong(values);
    Augment augment;
    augment.crops = crops.data();
    augment.rows = rows.data();
    augment.count = shape.count;
    augment.channels = shape.channels;
    augment.side = shape.side;
    augment.seed = 99;
    augment.position = 1ull << 33;
    augment.mean = 0.5f;
    augment.stddev = 0.25f;
    augment.strong.config = {};
    augment.strong.config.operations = 4;
    augment.weak.out = {weak.data(),    Batch::kFp32, Batch::kNchw,
                        shape.channels, shape.side,   shape.side};
    augment.strong.out = augment.weak.out;
    augment.strong.out.data = strong.data();
    kernels::augment(augment);

    DeviceArray<std::uint8_t> crops_there(crops), workspace(table_->augment_workspace(augment));
    DeviceArray<std::int64_t> rows_there(rows);
    DeviceArray<float> weak_there(values), strong_there(values);
    augment.crops = crops_there.data();
    augment.rows = rows_there.data();
    augment.weak.out.data = weak_there.data();
    augment.strong.out.data = strong_there.data();
    augment.workspace = workspace.data();
    done(table_->augment(augment, nullptr));
    // A turn's sine may differ in its last bit, and with it a pixel at the edge of a level.
    EXPECT_LT(apart(weak_there.values(), weak, 1e-4).largest, 1e-3) << shape.side;
    EXPECT_LT(apart(strong_there.values(), strong, 1e-4).share, 1e-4) << shape.side;
  }
}

}  // namespace
}  // namespace fer::kernels
