#include "model/fallback_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

namespace fer {
namespace {

using testing::HasSubstr;

/// Says its number for every crop until it has been asked `good` times, and throws from then on.
class Counting final : public InferenceEngine {
 public:
  Counting(float number, int good) : number_(number), good_(good) {}

  void run(const std::uint8_t*, std::size_t n, float* logits) const override {
    if (asked++ >= good_) throw std::runtime_error("out of memory\nException raised from here");
    std::fill_n(logits, n, number_);
  }
  bool divisible() const override { return number_ > 1; }
  std::string name() const override {
    return "engine " + std::to_string(static_cast<int>(number_));
  }

  mutable std::atomic<int> asked{0};

 private:
  const float number_;
  const int good_;
};

TEST(FallbackEngine, GoesOnWithTheSecondWhereTheFirstFails) {
  int made = 0;
  auto first = std::make_unique<Counting>(1.f, 2);
  const Counting& counted = *first;
  const FallbackEngine engine(std::move(first), [&] {
    ++made;
    return std::make_unique<Counting>(2.f, 1000);
  });
  std::vector<float> said;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(engine.fallback().empty(), i <= 2);
    float logit = 0;
    engine.run(nullptr, 1, &logit);
    said.push_back(logit);
  }
  EXPECT_EQ(said, (std::vector<float>{1, 1, 2, 2, 2}));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(counted.asked, 3) << "what failed is not asked again";
  EXPECT_EQ(engine.fallback(), "engine 1 failed: out of memory");
  EXPECT_EQ(engine.name(), "engine 2");
  EXPECT_TRUE(engine.divisible());
}

TEST(FallbackEngine, BeginsWithTheSecondWhereTheFirstCannotBeMade) {
  const auto second = [] { return std::make_unique<Counting>(2.f, 1000); };
  const FallbackEngine engine(
      []() -> std::unique_ptr<const InferenceEngine> {
        throw std::runtime_error("no kernel image is available\nException raised from here");
      },
      second, "cuda:0");
  EXPECT_EQ(engine.fallback(), "cuda:0 cannot take the model: no kernel image is available");
  EXPECT_EQ(engine.name(), "engine 2");
  float logit = 0;
  engine.run(nullptr, 1, &logit);
  EXPECT_EQ(logit, 2);

  const FallbackEngine made([] { return std::make_unique<Counting>(1.f, 1); }, second, "cuda:0");
  EXPECT_EQ(made.name(), "engine 1");
  made.run(nullptr, 1, &logit);
  EXPECT_EQ(logit, 1);
  made.run(nullptr, 1, &logit);
  EXPECT_EQ(logit, 2);
  EXPECT_EQ(made.fallback(), "engine 1 failed: out of memory");
}

TEST(FallbackEngine, ThrowsWhatTheSecondThrows) {
  const FallbackEngine engine(std::make_unique<Counting>(1.f, 0),
                              [] { return std::make_unique<Counting>(2.f, 0); });
  float logit = 0;
  EXPECT_THROW(engine.run(nullptr, 1, &logit), std::runtime_error);
}

TEST(FallbackEngine, MayFailOnManyThreadsAtOnce) {
  std::atomic<int> made{0};
  const FallbackEngine engine(std::make_unique<Counting>(1.f, 10), [&] {
    ++made;
    return std::make_unique<Counting>(2.f, 1 << 20);
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k) {
        float logit = 0;
        engine.run(nullptr, 1, &logit);
        EXPECT_GT(logit, 0);
        EXPECT_THAT(engine.name(), HasSubstr("engine"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace fer
