#include "model/classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "model/device_name.h"
#include "model/folded_network.h"
#include "model/stored_model.h"
#include "network/aten_engine.h"
#include "network/model_file.h"
#include "scoped.h"
#include "unit/model/model_support.h"
#include "util/omp_threads.h"

namespace fer {
namespace {

using test::RandomModel;
using testing::HasSubstr;

double worst(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

/// How far the logits of a row are apart: what errors are to be compared with.
double spread(const std::vector<float>& logits) {
  const auto [low, high] = std::minmax_element(logits.begin(), logits.end());
  return *high - *low;
}

std::vector<float> probabilities(std::vector<float> logits, const ModelInfo& info) {
  to_probabilities(logits, info, 0);
  return logits;
}

class Networks : public testing::TestWithParam<NetworkConfig> {};

TEST_P(Networks, AgreeWithTheModuleInFp32) {
  RandomModel model(GetParam());
  const Classifier classifier(*model.stored(), Precision::kFp32);
  const auto crops = test::random_bytes(5 * classifier.crop_bytes());
  const auto expected = model.plain_logits(crops);
  EXPECT_GT(spread(expected), 0.1);
  EXPECT_LT(worst(classifier.logits(crops), expected), 1e-4 * std::max(1., spread(expected)));
  EXPECT_EQ(classifier.precision(), Precision::kFp32);
}

TEST_P(Networks, AgreeNearlyInBf16) {
  RandomModel model(GetParam());
  const Classifier classifier(*model.stored(), Precision::kBf16);
  if (classifier.precision() != Precision::kBf16) GTEST_SKIP() << "There is no bf16 here.";
  const auto crops = test::random_bytes(5 * classifier.crop_bytes());
  EXPECT_LT(worst(probabilities(classifier.logits(crops), model.info()),
                  probabilities(model.plain_logits(crops), model.info())),
            3e-2);
}

TEST_P(Networks, AgreeBetweenEngines) {
  RandomModel model(GetParam());
  const auto engine = make_aten_engine(fold(*model.stored()), Precision::kFp32, "cpu");
  const NetworkConfig& config = GetParam();
  const auto crops = test::random_bytes(
      static_cast<std::size_t>(3 * config.channels * config.input_size * config.input_size));
  std::vector<float> logits(3 * static_cast<std::size_t>(config.classes));
  engine->run(crops.data(), 3, logits.data());
  const auto expected = model.plain_logits(crops);
  EXPECT_LT(worst(logits, expected), 1e-4 * std::max(1., spread(expected)));
  EXPECT_TRUE(engine->divisible());
  EXPECT_THAT(engine->name(), HasSubstr("LibTorch"));
}

INSTANTIATE_TEST_SUITE_P(All, Networks, testing::ValuesIn(test::varied_configs()),
                         [](const auto& info) { return "Network" + std::to_string(info.index); });

TEST(Classifier, AlsoLooksAtMirrorImagesWhereTheModelSaysSo) {
  for (const int channels : {1, 3}) {
    RandomModel model(test::tiny_config(17, channels));
    const Classifier plain(*model.stored(), Precision::kFp32);
    model.info().mirror = true;
    const Classifier both(*model.stored(), Precision::kFp32);
    const auto crops = test::random_bytes(3 * plain.crop_bytes());
    std::vector<std::uint8_t> mirrored;
    for (std::size_t i = 0; i < crops.size(); ++i)
      mirrored.push_back(crops[i - i % 17 + 16 - i % 17]);
    auto expected = plain.logits(crops);
    const auto other = plain.logits(mirrored);
    EXPECT_GT(worst(expected, other), 1e-3);
    for (std::size_t i = 0; i < other.size(); ++i) expected[i] = (expected[i] + other[i]) / 2;
    EXPECT_LT(worst(both.logits(crops), expected), 1e-5);
    EXPECT_TRUE(both.logits({}).empty());
  }
}

TEST(Classifier, AnswersTheSameInAnyBatch) {
  RandomModel model;
  const Classifier classifier(*model.stored(), Precision::kAuto);
  const std::size_t bytes = classifier.crop_bytes();
  const auto crops = test::random_bytes(9 * bytes);
  const auto all = classifier.logits(crops);
  ASSERT_EQ(all.size(), 9 * classifier.classes());
  for (std::size_t i = 0; i < 9; ++i) {
    const auto one = classifier.logits(std::span(crops).subspan(i * bytes, bytes));
    const std::vector<float> row(all.begin() + static_cast<std::ptrdiff_t>(i * one.size()),
                                 all.begin() + static_cast<std::ptrdiff_t>((i + 1) * one.size()));
    EXPECT_EQ(one, row) << "face " << i;
  }
}

TEST(Classifier, AnswersManyThreadsAtOnce) {
  RandomModel model;
  const Classifier classifier(*model.stored(), Precision::kAuto);
  constexpr unsigned kThreads = 6;
  std::vector<std::vector<std::uint8_t>> crops;
  std::vector<std::vector<float>> expected;
  for (unsigned i = 0; i < kThreads; ++i) {
    crops.push_back(test::random_bytes((i + 1) * classifier.crop_bytes(), i));
    expected.push_back(classifier.logits(crops.back()));
  }
  std::vector<int> wrong(kThreads, 0);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 30; ++round) {
        if (classifier.logits(crops[i]) != expected[i]) ++wrong[i];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(Classifier, LeavesTheThreadsOfOthersAlone) {
  if (omp_get_max_threads == nullptr) GTEST_SKIP() << "No OpenMP in this process.";
  RandomModel model;
  const Classifier classifier(*model.stored(), Precision::kAuto);
  omp_set_num_threads(3);
  classifier.logits(test::random_bytes(classifier.crop_bytes()));
  EXPECT_EQ(omp_get_max_threads(), 3);
}

TEST(Classifier, RefusesPartsOfCrops) {
  RandomModel model;
  const Classifier classifier(*model.stored(), Precision::kAuto);
  EXPECT_TRUE(classifier.logits({}).empty());
  const auto bytes = test::random_bytes(classifier.crop_bytes() + 1);
  EXPECT_THROW(classifier.logits(bytes), std::invalid_argument);
}

TEST(Classifier, RunsOnKernelsMadeForTheProcessor) {
  RandomModel model(network_preset("fernet"));
  for (const Precision precision : {Precision::kFp32, Precision::kAuto}) {
    const std::string engine = Classifier(*model.stored(), precision).engine();
    if (!engine.starts_with("oneDNN")) GTEST_SKIP() << "built without oneDNN: " << engine;
    // Those that fit any layout take a hundred times as long.
    EXPECT_THAT(engine, testing::Not(HasSubstr(" ref")));
  }
}

TEST(Classifier, TakesTheBestPrecisionOfTheProcessor) {
  if (std::getenv("ONEDNN_MAX_CPU_ISA") != nullptr) GTEST_SKIP() << "oneDNN is held back.";
  RandomModel model;
  const Precision best = cpu_has_bf16() ? Precision::kBf16 : Precision::kFp32;
  EXPECT_EQ(Classifier(*model.stored(), Precision::kAuto).precision(), best);
  // Emulated bf16 would be slower than fp32: never.
  EXPECT_EQ(Classifier(*model.stored(), Precision::kBf16).precision(), best);
}

TEST(Classifier, SaysThatThereIsNoCuda) {
  if (std::getenv("FER_TEST_CUDA") != nullptr) GTEST_SKIP() << "There is CUDA here.";
  RandomModel model;
  try {
    const Classifier classifier(*model.stored(), Precision::kAuto, "cuda");
    GTEST_SKIP() << "There is CUDA here.";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("device cuda"));
    EXPECT_THAT(error.what(), HasSubstr("LibTorch"));
  }
}

/// Where there is one: the first CUDA device that LibTorch can use.
std::string cuda_device() {
  try {
    return resolve_device("cuda");
  } catch (const std::runtime_error&) {
    return {};
  }
}

TEST(Classifier, GivesOnADeviceWhatTheProcessorGives) {
  RandomModel model;
  if (cuda_device().empty()) GTEST_SKIP() << "LibTorch finds no CUDA device";
  const Classifier here(*model.stored(), Precision::kFp32);
  const Classifier there(*model.stored(), Precision::kFp32, "cuda");
  // Where the library for them was built, meson says where it lies.
  const bool graphs = std::getenv("FER_TORCH_CUDA_LIBRARY") != nullptr;
  EXPECT_THAT(there.engine(), HasSubstr(graphs ? "with CUDA graphs" : "without CUDA graphs"));
  // Sizes that are recorded, that are filled up, and one that is larger than all.
  for (const std::size_t n : {1, 3, 4, 16, 40, 256, 300}) {
    const auto crops = test::random_bytes(n * here.crop_bytes(), static_cast<unsigned>(n));
    const auto expected = here.logits(crops);
    EXPECT_LT(worst(there.logits(crops), expected), 1e-2 * spread(expected)) << n;
  }
}

TEST(Classifier, ServesOnADeviceWhileOthersAreLaidOut) {
  RandomModel model;
  if (cuda_device().empty()) GTEST_SKIP() << "LibTorch finds no CUDA device";
  const Classifier serving(*model.stored(), Precision::kFp32, "cuda");
  const auto crops = test::random_bytes(5 * serving.crop_bytes());
  const auto expected = serving.logits(crops);
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done) EXPECT_EQ(serving.logits(crops), expected);
    });
  }
  // More than LibTorch has streams: none of them is recorded on one that serves.
  for (int i = 0; i < 40; ++i) {
    const Classifier other(*model.stored(), Precision::kFp32, "cuda");
    EXPECT_THAT(other.engine(), HasSubstr(serving.engine()));
    EXPECT_EQ(other.logits(crops).size(), expected.size());
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(Classifier, RefusesAModelThatLacksATensor) {
  RandomModel model;
  model.file().weights.erase("head.bias");
  try {
    const Classifier classifier(*model.stored(), Precision::kFp32);
    FAIL() << "it took the model";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("head.bias"));
  }
}

TEST(Classifier, OpensWhatWasWritten) {
  const test::ScopedFolder folder;
  RandomModel model;
  const std::string version = model.write(folder.path() / "model.fer");
  const auto classifier = Classifier::open(folder.path() / "model.fer", Precision::kFp32);
  const auto crops = test::random_bytes(2 * classifier->crop_bytes());
  EXPECT_LT(worst(classifier->logits(crops), model.plain_logits(crops)), 1e-4);
  EXPECT_EQ(classifier->info().version, version);
  EXPECT_EQ(classifier->classes(), 8u);
}

TEST(Probabilities, AreASoftmaxUnderTheModelsPrior) {
  ModelInfo info;
  info.labels = {"a", "b"};
  info.prior = {0.8f, 0.2f};
  std::vector<float> p{std::log(0.6f), std::log(0.4f), 300, 302};
  to_probabilities(p, info, 0);
  EXPECT_NEAR(p[0], 0.6, 1e-6);
  EXPECT_NEAR(p[1], 0.4, 1e-6);
  EXPECT_NEAR(p[2], 1 / (1 + std::exp(2.)), 1e-6);  // large logits do not overflow
  EXPECT_NEAR(p[2] + p[3], 1, 1e-6);
}

TEST(Probabilities, DivideThePriorOutByItsPower) {
  ModelInfo info;
  info.labels = {"a", "b"};
  info.prior = {0.8f, 0.2f};
  for (const double power : {0.5, 1.}) {
    std::vector<float> p{std::log(0.6f), std::log(0.4f)};
    to_probabilities(p, info, power);
    const double a = 0.6 / std::pow(0.8, power), b = 0.4 / std::pow(0.2, power);
    EXPECT_NEAR(p[0], a / (a + b), 1e-5);
    EXPECT_NEAR(p[1], b / (a + b), 1e-5);
  }
}

}  // namespace
}  // namespace fer
