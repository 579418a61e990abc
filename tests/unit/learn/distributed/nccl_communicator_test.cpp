// The calls of NCCL, made to a library that does the same between threads, in the processor's
// memory (tests/host_nccl, by FER_NCCL_LIBRARY).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "error_of.h"
#include "learn/distributed/communicator.h"
#include "meeting_threads.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::HasSubstr;

/// Threads that meet as processes do. Returns the error of each; "" for none.
std::vector<std::string> together(int size,
                                  const std::function<void(Communicator&, int rank)>& act) {
  return test::together(size, [&](const DistributedEnv& env) {
    act(*make_nccl_communicator(env, 30s, torch::kCPU), env.rank);
  });
}

TEST(NcclCommunicator, AddsUpWhateverTypesATrainingExchanges) {
  const auto add_up = [](Communicator& communicator, int rank) {
    for (const auto type : {torch::kFloat, torch::kDouble, torch::kLong, torch::kInt}) {
      torch::Tensor tensor = torch::arange(12, type).view({3, 4}) * (rank + 1);
      communicator.sum(tensor);
      EXPECT_TRUE(tensor.equal(torch::arange(12, type).view({3, 4}) * 6)) << type;
    }
  };
  EXPECT_THAT(together(3, add_up), Each(""));
}

TEST(NcclCommunicator, TakesOverWhatTheFirstHas) {
  const auto take_over = [](Communicator& communicator, int rank) {
    torch::Tensor bytes = torch::full({5}, rank + 7, torch::kByte);
    communicator.broadcast(bytes);
    EXPECT_TRUE(bytes.equal(torch::full({5}, 7, torch::kByte)));
    torch::Tensor half = torch::full({3}, rank + 0.5, torch::kBFloat16);
    communicator.broadcast(half);
    EXPECT_TRUE(half.equal(torch::full({3}, 0.5, torch::kBFloat16)));
  };
  EXPECT_THAT(together(3, take_over), Each(""));
}

TEST(NcclCommunicator, GathersByRank) {
  const auto gather = [](Communicator& communicator, int rank) {
    const torch::Tensor all = communicator.gather(torch::full({2, 3}, rank, torch::kFloat));
    ASSERT_EQ(all.sizes(), (std::vector<std::int64_t>{3, 2, 3}));
    for (int other = 0; other < 3; ++other)
      EXPECT_TRUE(all[other].equal(torch::full({2, 3}, other, torch::kFloat)));
    const torch::Tensor flags = communicator.gather(torch::tensor({rank == 1}));
    EXPECT_TRUE(flags.flatten().equal(torch::tensor({false, true, false})));
  };
  EXPECT_THAT(together(3, gather), Each(""));
}

TEST(NcclCommunicator, SaysWhatFailedAndThenNoMore) {
  const auto fail = [](Communicator& communicator, int) {
    torch::Tensor shorts = torch::zeros({2}, torch::kShort);
    EXPECT_THROW(communicator.sum(shorts), std::invalid_argument);
    // Adding up bfloat16 is beyond the tests' library.
    torch::Tensor tensor = torch::zeros({2}, torch::kBFloat16);
    EXPECT_THAT(test::error_of([&] { communicator.sum(tensor); }),
                HasSubstr("NCCL: invalid argument"));
    EXPECT_THAT(test::error_of([&] { communicator.sum(tensor); }),
                HasSubstr("an exchange before this one failed"));
  };
  EXPECT_THAT(together(2, fail), Each(""));
}

}  // namespace
}  // namespace fer
