#include "learn/compute_device.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

TEST(ComputeDevice, IsTheProcessorWhereAskedFor) {
  EXPECT_TRUE(compute_device("cpu").is_cpu());
}

TEST(ComputeDevice, LeavesTheProcessorItsCores) {
  EXPECT_EQ(view_workers(torch::kCPU), 1);
  EXPECT_FALSE(torch::empty({4}, host_memory(torch::kCPU)).is_pinned());
}

}  // namespace
}  // namespace fer
