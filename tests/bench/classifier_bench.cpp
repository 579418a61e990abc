// Milliseconds a face of the classifier against the network as LibTorch runs it by itself, in one
// run. On one thread the time is the processor's, so that what else the machine does counts little;
// on several it is the clock's.
//
//   classifier-bench [--model=FILE] [--benchmark_…]
//
// Without a model it takes FerNet with random weights. serving-bench times whole batches wherever a
// model runs, devices included.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/batch_queue.h"
#include "model/classifier.h"
#include "model/stored_model.h"
#include "network/model_file.h"
#include "scoped.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

test::RandomModel& model() {
  static test::RandomModel random(network_preset("fernet"));
  return random;
}

std::vector<std::uint8_t> crops_for(const Classifier& classifier, std::int64_t n) {
  return test::random_bytes(static_cast<std::size_t>(n) * classifier.crop_bytes());
}

/// Call it when the loop has ended.
void note(benchmark::State& state, std::int64_t faces, const std::string& label) {
  state.counters["a_face"] =
      benchmark::Counter(static_cast<double>(state.iterations() * faces),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetLabel(label);
}

/// Ours on one thread.
void BM_Classifier(benchmark::State& state, Precision precision) {
  const Classifier classifier(*model().stored(), precision);
  if (classifier.precision() != precision) {
    state.SkipWithError("this processor has no bf16");
    return;
  }
  const auto crops = crops_for(classifier, state.range(0));
  classifier.logits(crops);
  for (auto _ : state) benchmark::DoNotOptimize(classifier.logits(crops));
  note(state, state.range(0), classifier.engine());
}
BENCHMARK_CAPTURE(BM_Classifier, fp32, Precision::kFp32)->Arg(1)->Arg(4)->Arg(16);
BENCHMARK_CAPTURE(BM_Classifier, bf16, Precision::kBf16)->Arg(1)->Arg(4)->Arg(16);

/// Ours through the queue on two threads.
void BM_TwoThreads(benchmark::State& state, Precision precision) {
  const auto classifier = std::make_shared<const Classifier>(*model().stored(), precision);
  BatchQueue queue([&] { return classifier; });
  const auto crops = crops_for(*classifier, state.range(0));
  queue.classify(crops, 2);
  for (auto _ : state) benchmark::DoNotOptimize(queue.classify(crops, 2));
  note(state, state.range(0), classifier->engine());
}
BENCHMARK_CAPTURE(BM_TwoThreads, fp32, Precision::kFp32)->Arg(1)->Arg(4)->Arg(16)->UseRealTime();
BENCHMARK_CAPTURE(BM_TwoThreads, auto, Precision::kAuto) -> Arg(1) -> Arg(4) -> Arg(16)
    -> UseRealTime();

/// The module's forward in evaluation mode, as one writes it who knows only LibTorch.
void BM_Module(benchmark::State& state, bool bf16, int threads) {
  const Classifier classifier(*model().stored(), Precision::kFp32);
  const auto crops = crops_for(classifier, state.range(0));
  model().plain_logits(crops, bf16, threads);
  for (auto _ : state) benchmark::DoNotOptimize(model().plain_logits(crops, bf16, threads));
  note(state, state.range(0), "LibTorch, module");
}
BENCHMARK_CAPTURE(BM_Module, fp32, false, 1)->Arg(1)->Arg(4)->Arg(16);
BENCHMARK_CAPTURE(BM_Module, bf16, true, 1)->Arg(1)->Arg(4)->Arg(16);
BENCHMARK_CAPTURE(BM_Module, fp32_two_threads, false, 2)->Arg(1)->Arg(4)->Arg(16)->UseRealTime();

/// From the file to the first answer.
void BM_Load(benchmark::State& state, Precision precision) {
  const test::ScopedFolder folder;
  model().write(folder.path() / "model.fer");
  for (auto _ : state) {
    const auto classifier = Classifier::open(folder.path() / "model.fer", precision);
    benchmark::DoNotOptimize(classifier->logits(crops_for(*classifier, 1)));
  }
}
BENCHMARK_CAPTURE(BM_Load, fp32, Precision::kFp32)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(BM_Load, auto, Precision::kAuto) -> Unit(benchmark::kMillisecond)
    -> UseRealTime();

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  using namespace fer;
  constexpr std::string_view kModel = "--model=";
  int left = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kModel))
      model().file() = read_model(argument.substr(kModel.size()));
    else
      argv[left++] = argv[i];
  }
  argc = left;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
