#include "learn/compute_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

#include "error_of.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

bool have_cuda() {
  return compute_device("auto").is_cuda();
}

TEST(ComputeDevice, IsTheProcessorWhereAskedFor) {
  EXPECT_TRUE(compute_device("cpu").is_cpu());
}

TEST(ComputeDevice, RefusesOtherNames) {
  for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda:4096", "CPU"})
    EXPECT_EQ(test::error_of([&] { compute_device(name); }),
              "device \"" + std::string(name) + "\": expected auto, cpu, cuda or cuda:N");
}

TEST(ComputeDevice, SaysWhatCudaTakesWhereThereIsNone) {
  if (have_cuda()) GTEST_SKIP() << "there is a CUDA device";
  for (const char* name : {"cuda", "cuda:1"})
    EXPECT_THAT(test::error_of([&] { compute_device(name); }),
                AllOf(HasSubstr(name), HasSubstr("-Dtorch_dir"), HasSubstr("--device cpu")));
  EXPECT_TRUE(compute_device("auto").is_cpu());
}

TEST(ComputeDevice, CountsDevicesFromZero) {
  if (!have_cuda()) GTEST_SKIP() << "LibTorch finds no CUDA device";
  EXPECT_EQ(compute_device("cuda"), torch::Device("cuda:0"));
  const std::string beyond = "cuda:" + std::to_string(torch::cuda::device_count());
  EXPECT_THAT(test::error_of([&] { compute_device(beyond); }), HasSubstr("counted from 0"));
}

TEST(ComputeDevice, LeavesTheProcessorItsCores) {
  EXPECT_EQ(view_workers(torch::kCPU), 1);
  EXPECT_FALSE(torch::empty({4}, host_memory(torch::kCPU)).is_pinned());
}

}  // namespace
}  // namespace fer
