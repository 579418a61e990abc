#include "model/device_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

#include "error_of.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

bool have_cuda() {
  return resolve_device("auto") != "cpu";
}

TEST(ResolveDevice, IsTheProcessorWhereAskedFor) {
  std::string fallback = "something";
  EXPECT_EQ(resolve_device("cpu", &fallback), "cpu");
  EXPECT_EQ(fallback, "");
}

TEST(ResolveDevice, RefusesOtherNames) {
  for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda:4096", "CPU"})
    EXPECT_EQ(test::error_of([&] { resolve_device(name); }),
              "device \"" + std::string(name) + "\": expected auto, cpu, cuda or cuda:N");
}

TEST(ResolveDevice, SaysWhatCudaTakesWhereThereIsNone) {
  if (have_cuda()) GTEST_SKIP() << "there is a CUDA device";
  for (const char* name : {"cuda", "cuda:1"})
    EXPECT_THAT(test::error_of([&] { resolve_device(name); }),
                AllOf(HasSubstr(name), HasSubstr("-Dtorch_dir"), HasSubstr("device cpu")));
  EXPECT_EQ(resolve_device("auto"), "cpu");
}

TEST(ResolveDevice, CountsDevicesFromZero) {
  if (!have_cuda()) GTEST_SKIP() << "LibTorch finds no CUDA device";
  EXPECT_EQ(resolve_device("cuda"), "cuda:0");
  const std::string beyond = "cuda:" + std::to_string(torch::cuda::device_count());
  EXPECT_THAT(test::error_of([&] { resolve_device(beyond); }), HasSubstr("counted from 0"));
}

}  // namespace
}  // namespace fer
