#include "model/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

namespace fer {
namespace {

TEST(WorkerPool, RunsEveryPartOnce) {
  WorkerPool pool;
  for (const std::size_t parts : {0u, 1u, 2u, 5u, 3u, 1u, 7u}) {
    std::vector<std::atomic<int>> runs(parts);
    pool.run(parts, [&](std::size_t part) { ++runs[part]; });
    for (std::size_t part = 0; part < parts; ++part) EXPECT_EQ(runs[part], 1) << part;
  }
}

TEST(WorkerPool, RunsPartsAtTheSameTime) {
  WorkerPool pool;
  // Each part waits for the other: on one thread they would never end.
  std::atomic<int> arrived{0};
  std::mutex mutex;
  std::set<std::thread::id> threads;
  pool.run(3, [&](std::size_t) {
    {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    ++arrived;
    while (arrived < 3) std::this_thread::yield();
  });
  EXPECT_EQ(threads.size(), 3u);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 1u);
}

TEST(WorkerPool, RunsOnePartWithoutHelp) {
  WorkerPool pool;
  std::thread::id thread;
  pool.run(1, [&](std::size_t) { thread = std::this_thread::get_id(); });
  EXPECT_EQ(thread, std::this_thread::get_id());
}

TEST(WorkerPool, IsDoneWhenItReturns) {
  WorkerPool pool;
  for (int round = 0; round < 500; ++round) {
    int a = 0, b = 0;
    pool.run(2, [&](std::size_t part) { (part == 0 ? a : b) = round; });
    ASSERT_EQ(a + b, 2 * round);
  }
}

}  // namespace
}  // namespace fer
