#include "learn/distributed/process_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <functional>
#include <thread>
#include <vector>

#include "error_of.h"
#include "free_port.h"
#include "learn/distributed/batch_part.h"
#include "meeting_threads.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

/// Threads that meet as processes do. Returns the error of each; "" for none.
std::vector<std::string> together(int size, const std::function<void(ProcessGroup&)>& act,
                                  std::chrono::milliseconds patience = 30s) {
  return test::together(size, [&](const DistributedEnv& env) {
    ProcessGroup group(env, patience);
    act(group);
  });
}

TEST(ProcessGroup, AddsUpAndAverages) {
  // Tensors of one training, a large one among them, so that there is more than one bucket.
  const std::vector<std::vector<std::int64_t>> shapes{{3}, {2, 3, 4, 5}, {5000, 2000}, {7, 7}, {1}};
  std::vector<std::vector<torch::Tensor>> averages(3);
  EXPECT_THAT(together(3,
                       [&](ProcessGroup& group) {
                         EXPECT_EQ(group.size(), 3);
                         EXPECT_EQ(group.writes(), group.rank() == 0);
                         const double own = group.rank() + 1;
                         torch::Tensor sum = torch::full({2, 2}, own);
                         group.sum(sum);
                         EXPECT_TRUE(torch::equal(sum, torch::full({2, 2}, 6.)));
                         torch::Tensor count = torch::tensor({std::int64_t{1} << 40});
                         group.sum(count);
                         EXPECT_EQ(count.item<std::int64_t>(), std::int64_t{3} << 40);

                         std::vector<torch::Tensor>& mine =
                             averages[static_cast<std::size_t>(group.rank())];
                         for (const auto& shape : shapes) {
                           torch::Tensor t = torch::full(shape, own / 3);
                           if (t.dim() == 4) t = t.contiguous(torch::MemoryFormat::ChannelsLast);
                           t.select(0, 0).fill_(own);
                           mine.push_back(t);
                         }
                         group.average(mine);
                       }),
              Each(""));
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    ASSERT_EQ(averages[0].size(), shapes.size());
    torch::Tensor expected = torch::full(shapes[i], 2. / 3);
    expected.select(0, 0).fill_(2);
    EXPECT_TRUE(averages[0][i].allclose(expected)) << i;
    EXPECT_TRUE(torch::equal(averages[1][i], averages[0][i])) << i;
    EXPECT_TRUE(torch::equal(averages[2][i], averages[0][i])) << i;
  }
}

TEST(ProcessGroup, TakesOverWhatTheFirstHas) {
  EXPECT_THAT(together(2,
                       [](ProcessGroup& group) {
                         const std::int64_t own = group.rank() + 1;
                         std::vector<torch::Tensor> tensors{torch::full({3, 4}, 0.5 * own),
                                                            torch::full({2}, own, torch::kLong),
                                                            torch::full({5}, 2. * own)};
                         group.broadcast(tensors);
                         EXPECT_TRUE(torch::equal(tensors[0], torch::full({3, 4}, 0.5)));
                         EXPECT_TRUE(torch::equal(tensors[1], torch::ones({2}, torch::kLong)));
                         EXPECT_TRUE(torch::equal(tensors[2], torch::full({5}, 2.)));
                         const std::string text =
                             group.writes() ? "of the first" : "another, longer";
                         EXPECT_EQ(group.broadcast(text), "of the first");
                       }),
              Each(""));
}

TEST(ProcessGroup, GathersRowsInOrder) {
  EXPECT_THAT(
      together(3,
               [](ProcessGroup& group) {
                 const BatchPart part = group.part(6);
                 const torch::Tensor all = torch::arange(12, torch::kFloat).view({6, 2});
                 const torch::Tensor own = part.of(all);
                 EXPECT_EQ(own.size(0), 2);
                 EXPECT_EQ(own[0][0].item<float>(), 4 * group.rank());
                 EXPECT_TRUE(torch::equal(group.gather_rows(own), all));
                 // Columns of a larger tensor are not contiguous.
                 EXPECT_TRUE(torch::equal(group.gather_rows(own.select(1, 1)), all.select(1, 1)));
                 EXPECT_THAT(test::error_of([&] { group.part(8); }),
                             AllOf(HasSubstr("a batch of 8"), HasSubstr("WORLD_SIZE (3)")));
               }),
      Each(""));
}

TEST(ProcessGroup, AgreesWhetherOneHasSomething) {
  EXPECT_THAT(together(2,
                       [](ProcessGroup& group) {
                         EXPECT_FALSE(group.any(false));
                         EXPECT_TRUE(group.any(group.rank() == 1));
                         EXPECT_TRUE(group.any(true));
                       }),
              Each(""));
}

TEST(ProcessGroup, NamesWhoDiffers) {
  EXPECT_THAT(together(3,
                       [](ProcessGroup& group) {
                         group.require_same("all alike", "options");
                         group.require_same(group.rank() == 2 ? "this" : "that", "options");
                         FAIL() << "went on";
                       }),
              Each(HasSubstr("RANK 2 was started with other options than RANK 0")));
}

TEST(ProcessGroup, TellsOfOneThatLeft) {
  const auto begun = std::chrono::steady_clock::now();
  const auto errors = together(2, [](ProcessGroup& group) {
    group.any(false);
    if (group.rank() == 0) group.any(false);
  });
  EXPECT_THAT(errors[0], AllOf(HasSubstr("RANK 0: another process of the run has ended"),
                               HasSubstr("the last checkpoint")));
  EXPECT_EQ(errors[1], "");
  // It is seen at once, not when the patience ends.
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
}

TEST(ProcessGroup, DoesNotWaitForeverForOneThatHangs) {
  const auto errors = together(
      2,
      [](ProcessGroup& group) {
        if (group.rank() == 1) std::this_thread::sleep_for(4s);
        group.any(false);
      },
      2s);
  EXPECT_THAT(errors[0], HasSubstr("did not answer for 2 s"));
}

TEST(ProcessGroup, DoesNotWaitForeverForOneThatDoesNotCome) {
  DistributedEnv env;
  env.size = 2;
  env.host = "127.0.0.1";
  for (const int rank : {0, 1}) {
    env.rank = rank;
    env.port = static_cast<std::uint16_t>(test::free_port());
    EXPECT_THAT(test::error_of([&] { ProcessGroup(env, 2s); }),
                AllOf(HasSubstr("MASTER_ADDR=127.0.0.1, MASTER_PORT=" + std::to_string(env.port)),
                      HasSubstr("RANK " + std::to_string(rank) + " did not meet")));
  }
}

}  // namespace
}  // namespace fer
