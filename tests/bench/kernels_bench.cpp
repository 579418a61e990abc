// A step's pseudo-labels, losses and gradient by pseudo_label_step() against the same as LibTorch
// operations with autograd, and the kernels' other CPU forms by
// themselves. One thread; the time is the processor's.
//
//   kernels-bench [--benchmark_…]
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <string>
#include <vector>

#include "kernels/augment.h"
#include "kernels/warp_faces.h"
#include "learn/losses/losses.h"
#include "unit/kernels/pseudo_label_data.h"
#include "unit/kernels/tensor_policies.h"

namespace fer {
namespace {

constexpr int kRows = 4096, kClasses = 8, kLabelled = 512;

void note(benchmark::State& state, const char* what, double elements) {
  state.counters["per_second"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * elements, benchmark::Counter::kIsRate);
  state.SetLabel(what);
}

void BM_PseudoLabelStep(benchmark::State& state, kernels::ThresholdRule thresholds,
                        kernels::NegativeRule negatives) {
  test::StepData data(kRows, kLabelled, kClasses, 1);
  data.step.thresholds = thresholds;
  data.step.negatives = negatives;
  data.state = kernels::first_state(thresholds, kClasses);
  for (auto _ : state) {
    kernels::pseudo_label_step(data.pointed());
    benchmark::DoNotOptimize(data.gradient.data());
  }
  note(state, "rows", kRows);
}

void BM_SameByLibTorch(benchmark::State& state, kernels::ThresholdRule thresholds,
                       kernels::NegativeRule negatives) {
  at::set_num_threads(1);
  test::StepData data(kRows, kLabelled, kClasses, 1);
  const auto rows = [](std::vector<float>& values) {
    return torch::from_blob(values.data(),
                            {static_cast<std::int64_t>(values.size()) / kClasses, kClasses});
  };
  const auto threshold = test::tensor_thresholds(thresholds, kClasses);
  const bool uses_labelled = kernels::reads_labelled(thresholds);
  torch::Tensor z = rows(data.student).clone().requires_grad_();
  for (auto _ : state) {
    PolicyInput shown;
    shown.unlabelled = torch::softmax(rows(data.teacher), 1);
    if (uses_labelled) shown.labelled = torch::softmax(rows(data.labelled), 1);
    shown.labels = torch::from_blob(data.labels.data(), {kLabelled}, torch::kLong);
    const PseudoLabels pseudo = threshold->update_and_label(shown);
    const torch::Tensor chosen = test::tensor_negatives(
        negatives, {shown.unlabelled, torch::softmax(z.detach(), 1), pseudo.accepted()});
    const torch::Tensor loss =
        weighted_cross_entropy(z, pseudo.labels, pseudo.weights) + 0.1 * negative_loss(z, chosen);
    z.mutable_grad() = torch::Tensor();
    loss.backward();
    benchmark::DoNotOptimize(z.grad().data_ptr<float>());
  }
  note(state, "rows", kRows);
}

using Threshold = kernels::ThresholdRule;
using Negative = kernels::NegativeRule;
BENCHMARK_CAPTURE(BM_PseudoLabelStep, dta_snl, Threshold::of<kernels::Dta>(),
                  Negative::of<kernels::Snl>());
BENCHMARK_CAPTURE(BM_SameByLibTorch, dta_snl, Threshold::of<kernels::Dta>(),
                  Negative::of<kernels::Snl>());
BENCHMARK_CAPTURE(BM_PseudoLabelStep, free_fullmatch, Threshold::of<kernels::Free>(),
                  Negative::of<kernels::FullMatch>());
BENCHMARK_CAPTURE(BM_SameByLibTorch, free_fullmatch, Threshold::of<kernels::Free>(),
                  Negative::of<kernels::FullMatch>());
BENCHMARK_CAPTURE(BM_PseudoLabelStep, fixed_none, Threshold::of<kernels::Fixed>(),
                  Negative::of<kernels::NoNegatives>());
BENCHMARK_CAPTURE(BM_SameByLibTorch, fixed_none, Threshold::of<kernels::Fixed>(),
                  Negative::of<kernels::NoNegatives>());

void BM_Augment(benchmark::State& state) {
  constexpr int kFaces = 64, kSide = 48;
  const std::vector<std::uint8_t> crops(kFaces * kSide * kSide, 77);
  std::vector<float> weak(crops.size()), strong(crops.size());
  kernels::Augment augment;
  augment.crops = crops.data();
  augment.count = kFaces;
  augment.side = kSide;
  augment.weak.out = {weak.data(), kernels::Batch::kFp32, kernels::Batch::kNchw, 1, kSide, kSide};
  augment.strong.out = augment.weak.out;
  augment.strong.out.data = strong.data();
  augment.strong.config = {};
  for (auto _ : state) {
    kernels::augment(augment);
    augment.position += kFaces;
    benchmark::DoNotOptimize(strong.data());
  }
  note(state, "faces, both views", kFaces);
}
BENCHMARK(BM_Augment);

void BM_WarpFaces(benchmark::State& state) {
  constexpr int kWidth = 1920, kHeight = 1080, kFaces = 64, kSide = 48;
  const std::vector<std::uint8_t> luma(kWidth * kHeight, 99), chroma(luma.size() / 2, 128);
  FrameView view;
  view.format = PixelFormat::kNv12;
  view.width = kWidth;
  view.height = kHeight;
  view.data = {luma.data(), chroma.data(), nullptr};
  view.stride = {kWidth, kWidth, 0};
  const kernels::FramePlanes frame = kernels::planes_of(view);
  std::vector<kernels::FaceWarp> faces;
  for (int i = 0; i < kFaces; ++i) {
    // Faces of 96 pixels in a grid.
    const double x = 100 + i % 8 * 200, y = 20 + i / 8 * 120;
    faces.push_back(
        kernels::face_warp(0, {0.5, 0, -0.5 * x, 0, 0.5, -0.5 * y}, kWidth, kHeight, kSide, kSide));
  }
  std::vector<float> out(kFaces * kSide * kSide);
  kernels::WarpFaces warp;
  warp.frames = &frame;
  warp.frame_count = 1;
  warp.faces = faces.data();
  warp.count = kFaces;
  warp.out = {out.data(), kernels::Batch::kFp32, kernels::Batch::kNchw, 1, kSide, kSide};
  for (auto _ : state) {
    kernels::warp_faces(warp);
    benchmark::DoNotOptimize(out.data());
  }
  note(state, "faces", kFaces);
}
BENCHMARK(BM_WarpFaces);

}  // namespace
}  // namespace fer

BENCHMARK_MAIN();
