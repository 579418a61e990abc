#include "learn/device/compute_device.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "error_of.h"

namespace fer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What was put into which stream, in order.
std::vector<std::string>& log() {
  static std::vector<std::string> log;
  return log;
}

/// A kind of device that no LibTorch serves, with streams that only note what they are given.
constexpr auto kKind = c10::DeviceType::FPGA;
c10::Stream stream(int number) {
  return c10::Stream(c10::Stream::UNSAFE, torch::Device(kKind, 0), number);
}
int& current() {
  static int number = 0;
  return number;
}

struct NotingStreams final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kKind; }
  torch::Device exchangeDevice(torch::Device) const override { return {kKind, 0}; }
  torch::Device getDevice() const override { return {kKind, 0}; }
  void setDevice(torch::Device) const override {}
  void uncheckedSetDevice(torch::Device) const noexcept override {}
  c10::Stream getStream(torch::Device) const noexcept override { return stream(current()); }
  c10::Stream getDefaultStream(torch::Device) const override { return stream(0); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return stream(current()); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void** event, const c10::Stream& on, const c10::DeviceIndex,
              const c10::EventFlag) const override {
    *event = &log();
    log().push_back("mark in " + std::to_string(on.id()));
  }
  void block(void*, const c10::Stream& on) const override {
    log().push_back("wait in " + std::to_string(on.id()));
  }
};
const c10::impl::DeviceGuardImplRegistrar kNoting(kKind, new NotingStreams);

class LaunchOnTest : public testing::Test {
 protected:
  LaunchOnTest() {
    log().clear();
    table_.use_device = [](int device) -> const char* {
      return device == 0 ? nullptr : "there is but one";
    };
  }
  ~LaunchOnTest() override { current() = 0; }

  void launch(const char* refusal = nullptr, int device = 0) {
    launch_on(torch::Device(kKind, static_cast<c10::DeviceIndex>(device)), table_, "a kernel", [&] {
      log().push_back("launch");
      return refusal;
    });
  }

  kernels::KernelTable table_{};
};

TEST_F(LaunchOnTest, TakesItsTurnAmongWhatTheCurrentStreamIsGiven) {
  current() = 3;
  launch();
  EXPECT_THAT(log(), ElementsAre("mark in 3", "wait in 0", "launch", "mark in 0", "wait in 3"));
}

TEST_F(LaunchOnTest, OrdersNothingOnTheDefaultStream) {
  launch();
  EXPECT_THAT(log(), ElementsAre("launch"));
}

TEST_F(LaunchOnTest, SaysWhatWasRefused) {
  current() = 3;
  const auto said = test::error_of([&] { launch("out of memory"); });
  EXPECT_THAT(said, HasSubstr("a kernel on the device: out of memory"));
  EXPECT_EQ(log().back(), "wait in 3");
  EXPECT_THAT(test::error_of([&] { launch(nullptr, 1); }), HasSubstr("there is but one"));
}

TEST(ComputeDevice, IsTheProcessorWhereAskedFor) {
  EXPECT_TRUE(compute_device("cpu").is_cpu());
}

TEST(ComputeDevice, LeavesTheProcessorItsCores) {
  EXPECT_EQ(view_workers(torch::kCPU), 1);
  EXPECT_FALSE(torch::empty({4}, host_memory(torch::kCPU)).is_pinned());
}

TEST(ComputeDevice, TakesNumbersThere) {
  const torch::Tensor numbers = numbers_on(torch::kCPU, {4, -1, std::int64_t{1} << 40});
  EXPECT_TRUE(
      numbers.equal(torch::tensor({std::int64_t{4}, std::int64_t{-1}, std::int64_t{1} << 40})));
  EXPECT_EQ(numbers_on(torch::kCPU, {}).numel(), 0);
}

}  // namespace
}  // namespace fer
