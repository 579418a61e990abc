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
#include "learn/distributed/process_wire.h"
#include "meeting_threads.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::HasSubstr;

/// Threads that meet as processes do. Returns the error of each; "" for none.
std::vector<std::string> together(int size,
                                  const std::function<void(ProcessWire&, int rank)>& act) {
  return test::together(size, [&](const ProcessPlace& place) {
    act(*make_nccl_wire(place, 30s, torch::kCPU), place.rank);
  });
}

TEST(NcclWire, AddsUpWhateverTypesATrainingExchanges) {
  const auto add_up = [](ProcessWire& wire, int rank) {
    for (const auto type : {torch::kFloat, torch::kDouble, torch::kLong, torch::kInt}) {
      torch::Tensor tensor = torch::arange(12, type).view({3, 4}) * (rank + 1);
      wire.sum(tensor);
      EXPECT_TRUE(tensor.equal(torch::arange(12, type).view({3, 4}) * 6)) << type;
    }
  };
  EXPECT_THAT(together(3, add_up), Each(""));
}

TEST(NcclWire, TakesOverWhatTheFirstHas) {
  const auto take_over = [](ProcessWire& wire, int rank) {
    torch::Tensor bytes = torch::full({5}, rank + 7, torch::kByte);
    wire.broadcast(bytes);
    EXPECT_TRUE(bytes.equal(torch::full({5}, 7, torch::kByte)));
    torch::Tensor half = torch::full({3}, rank + 0.5, torch::kBFloat16);
    wire.broadcast(half);
    EXPECT_TRUE(half.equal(torch::full({3}, 0.5, torch::kBFloat16)));
  };
  EXPECT_THAT(together(3, take_over), Each(""));
}

TEST(NcclWire, GathersByRank) {
  const auto gather = [](ProcessWire& wire, int rank) {
    const torch::Tensor all = wire.gather(torch::full({2, 3}, rank, torch::kFloat));
    ASSERT_EQ(all.sizes(), (std::vector<std::int64_t>{3, 2, 3}));
    for (int other = 0; other < 3; ++other)
      EXPECT_TRUE(all[other].equal(torch::full({2, 3}, other, torch::kFloat)));
    const torch::Tensor flags = wire.gather(torch::tensor({rank == 1}));
    EXPECT_TRUE(flags.flatten().equal(torch::tensor({false, true, false})));
  };
  EXPECT_THAT(together(3, gather), Each(""));
}

TEST(NcclWire, SaysWhatFailedAndThenNoMore) {
  const auto fail = [](ProcessWire& wire, int) {
    torch::Tensor shorts = torch::zeros({2}, torch::kShort);
    EXPECT_THROW(wire.sum(shorts), std::invalid_argument);
    // Adding up bfloat16 is beyond the tests' library.
    torch::Tensor tensor = torch::zeros({2}, torch::kBFloat16);
    EXPECT_THAT(test::error_of([&] { wire.sum(tensor); }), HasSubstr("NCCL: invalid argument"));
    EXPECT_THAT(test::error_of([&] { wire.sum(tensor); }),
                HasSubstr("an exchange before this one failed"));
  };
  EXPECT_THAT(together(2, fail), Each(""));
}

}  // namespace
}  // namespace fer
