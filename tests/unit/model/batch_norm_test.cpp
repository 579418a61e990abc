#include "model/batch_norm.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace fer {
namespace {

/// Two threads that add up tensors, as two processes do.
class Adder {
 public:
  void sum(torch::Tensor& tensor) {
    std::unique_lock lock(mutex_);
    const int round = round_;
    if (!waiting_.defined()) {
      waiting_ = tensor.clone();
      both_.wait(lock, [&] { return round_ != round; });
    } else {
      sum_ = waiting_ + tensor;
      waiting_.reset();
      ++round_;
      both_.notify_all();
    }
    tensor.copy_(sum_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable both_;
  torch::Tensor waiting_, sum_;
  int round_ = 0;
};

/// What a batch norm makes of a batch, and of the gradient that comes back.
struct Made {
  torch::Tensor output, of_input, of_weight, of_bias, mean, variance;
};

constexpr int kChannels = 3;

Made run(const torch::Tensor& input, const torch::Tensor& gradient, const BatchSharePtr& share) {
  torch::nn::BatchNorm2d norm(kChannels);
  {
    torch::NoGradGuard no_grad;
    norm->weight.copy_(torch::tensor({0.5f, 1.f, 2.f}));
    norm->bias.copy_(torch::tensor({-1.f, 0.f, 3.f}));
  }
  const torch::Tensor x = input.clone().requires_grad_();
  const torch::Tensor y = batch_norm(norm, x, share);
  y.backward(gradient);
  EXPECT_EQ(norm->num_batches_tracked.item<std::int64_t>(), 1);
  return {y.detach(),        x.grad(),           norm->weight.grad(),
          norm->bias.grad(), norm->running_mean, norm->running_var};
}

/// The same, of two parts of the batch in two threads.
std::array<Made, 2> run_in_parts(const torch::Tensor& input, const torch::Tensor& gradient,
                                 std::int64_t rows_of_first) {
  Adder adder;
  std::array<Made, 2> made;
  const auto run_part = [&](std::size_t part) {
    auto share = c10::make_intrusive<BatchShare>();
    share->sum = [&](torch::Tensor& tensor) { adder.sum(tensor); };
    const auto rows = part == 0 ? rows_of_first : input.size(0) - rows_of_first;
    const auto first = part == 0 ? 0 : rows_of_first;
    made[part] = run(input.narrow(0, first, rows), gradient.narrow(0, first, rows), share);
  };
  std::thread other(run_part, 1);
  run_part(0);
  other.join();
  return made;
}

void expect_parts_are_the_whole(const torch::Tensor& input, const torch::Tensor& gradient,
                                double tolerance) {
  const Made whole = run(input, gradient, {});
  const auto parts = run_in_parts(input, gradient, 4);
  const auto expect_near = [&](const torch::Tensor& a, const torch::Tensor& b, const char* what) {
    EXPECT_LT((a - b).abs().max().item<double>(), tolerance * b.abs().max().item<double>()) << what;
    EXPECT_EQ(a.scalar_type(), b.scalar_type()) << what;
  };
  const auto joined = [&](torch::Tensor Made::*field) {
    return torch::cat({parts[0].*field, parts[1].*field});
  };
  expect_near(joined(&Made::output), whole.output, "output");
  expect_near(joined(&Made::of_input), whole.of_input, "gradient of the input");
  expect_near(parts[0].of_weight + parts[1].of_weight, whole.of_weight, "gradient of the weight");
  expect_near(parts[0].of_bias + parts[1].of_bias, whole.of_bias, "gradient of the bias");
  for (const Made& part : parts) {
    expect_near(part.mean, whole.mean, "running mean");
    expect_near(part.variance, whole.variance, "running variance");
  }
}

/// Of channels that lie far from zero, where moments are easily lost in rounding, and rows that
/// differ, so that no part is like the whole.
torch::Tensor uneven_batch() {
  torch::manual_seed(1);
  const torch::Tensor rows = torch::arange(10, torch::kFloat).view({10, 1, 1, 1});
  const torch::Tensor offset = torch::tensor({0.f, 100.f, -1000.f}).view({1, kChannels, 1, 1});
  return torch::randn({10, kChannels, 5, 5}) + rows + offset;
}

TEST(BatchNorm, OfPartsIsThatOfTheWholeBatch) {
  const torch::Tensor x = uneven_batch();
  const torch::Tensor gradient = torch::randn_like(x);
  expect_parts_are_the_whole(x, gradient, 2e-5);
  expect_parts_are_the_whole(x.contiguous(torch::MemoryFormat::ChannelsLast),
                             gradient.contiguous(torch::MemoryFormat::ChannelsLast), 2e-5);
}

TEST(BatchNorm, OfPartsIsThatOfTheWholeBatchInBf16) {
  torch::manual_seed(1);
  const torch::Tensor x = torch::randn({10, kChannels, 5, 5}).to(torch::kBFloat16);
  expect_parts_are_the_whole(x, torch::randn_like(x), 1e-2);
}

TEST(BatchNorm, AsksNobodyWhenItDoesNotLearn) {
  torch::nn::BatchNorm2d norm(kChannels);
  const auto share = c10::make_intrusive<BatchShare>();
  share->sum = [](torch::Tensor&) { FAIL() << "asked for a sum"; };
  norm->eval();
  const torch::Tensor x = torch::randn({2, kChannels, 4, 4});
  EXPECT_TRUE(batch_norm(norm, x, share).allclose(x, 1e-4));
}

}  // namespace
}  // namespace fer
