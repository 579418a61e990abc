#include "model/batch_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "model/classifier.h"
#include "model/stored_model.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

using test::RandomModel;
using test::tiny_config;

std::shared_ptr<const Classifier> classifier(const NetworkConfig& config, std::uint64_t seed = 1) {
  RandomModel model(config, seed);
  return std::make_shared<const Classifier>(*model.stored(), Precision::kFp32);
}

TEST(BatchQueue, AnswersAsTheClassifierDoes) {
  const auto model = classifier(tiny_config());
  BatchQueue queue([&] { return model; });
  for (const unsigned threads : {0u, 1u, 2u, 3u, 8u}) {
    for (const std::size_t faces : {0u, 1u, 2u, 5u}) {
      const auto crops = test::random_bytes(faces * model->crop_bytes(), threads);
      const BatchQueue::Answer answer = queue.classify(crops, threads);
      EXPECT_EQ(answer.classifier, model);
      EXPECT_EQ(answer.logits, model->logits(crops)) << faces << " faces, " << threads;
    }
  }
  EXPECT_EQ(queue.batches(), 20u);
}

TEST(BatchQueue, GivesEveryThreadItsOwnRows) {
  const auto model = classifier(tiny_config());
  BatchQueue queue([&] { return model; });
  constexpr unsigned kThreads = 8, kRounds = 25;
  std::vector<int> wrong(kThreads, 0);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (unsigned round = 0; round < kRounds; ++round) {
        const auto crops = test::random_bytes((i % 3 + 1) * model->crop_bytes(), i * 100 + round);
        const auto answer = queue.classify(crops, i % 2 + 1);
        if (answer.logits != model->logits(crops)) ++wrong[i];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
  EXPECT_LE(queue.batches(), kThreads * kRounds);
}

/// Holds the first batch back until it is told to go on.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    reached_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_until_reached() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return reached_; });
  }
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false, open_ = false;
};

TEST(BatchQueue, JoinsWhatComesWhileABatchRuns) {
  const auto model = classifier(tiny_config());
  Gate gate;
  BatchQueue queue([&] {
    gate.wait();
    return model;
  });
  const auto crops = test::random_bytes(model->crop_bytes());
  const auto expected = model->logits(crops);
  std::atomic<int> right{0}, asking{0};
  const auto ask = [&] {
    ++asking;
    if (queue.classify(crops).logits == expected) ++right;
  };
  std::thread first(ask);
  gate.wait_until_reached();
  std::vector<std::thread> others;
  for (int i = 0; i < 5; ++i) others.emplace_back(ask);
  while (asking < 6) std::this_thread::yield();
  // They are about to join the queue; give them the time for it.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  gate.open();
  first.join();
  for (std::thread& thread : others) thread.join();
  EXPECT_EQ(right, 6);
  EXPECT_GE(queue.batches(), 2u);
  EXPECT_LT(queue.batches(), 6u);
}

TEST(BatchQueue, ThrowsForEverybodyInTheBatchAndGoesOn) {
  const auto model = classifier(tiny_config());
  std::atomic<bool> broken{true};
  BatchQueue queue([&]() -> std::shared_ptr<const Classifier> {
    if (broken) throw std::domain_error("broken");
    return model;
  });
  const auto crops = test::random_bytes(model->crop_bytes());
  std::atomic<int> thrown{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        queue.classify(crops);
      } catch (const std::domain_error&) {
        ++thrown;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(thrown, 4);
  broken = false;
  EXPECT_EQ(queue.classify(crops).logits, model->logits(crops));
}

TEST(BatchQueue, SaysThatNoModelServes) {
  BatchQueue queue([] { return nullptr; });
  EXPECT_THROW(queue.classify({}), std::runtime_error);
}

TEST(BatchQueue, HasNoRowsForCropsOfAnotherSize) {
  const auto small = classifier(tiny_config(24)), large = classifier(tiny_config(40));
  std::shared_ptr<const Classifier> serving = small;
  BatchQueue queue([&] { return serving; });
  const auto crops = test::random_bytes(2 * small->crop_bytes());
  EXPECT_EQ(queue.classify(crops).logits.size(), 16u);
  serving = large;
  const BatchQueue::Answer answer = queue.classify(crops);
  EXPECT_EQ(answer.classifier, large);
  EXPECT_TRUE(answer.logits.empty());
  const auto anew = test::random_bytes(2 * large->crop_bytes());
  EXPECT_EQ(queue.classify(anew).logits, large->logits(anew));
}

}  // namespace
}  // namespace fer
