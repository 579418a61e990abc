#include "network/fused_batch_norm_relu.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <array>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>

namespace fer {
namespace {

constexpr int kChannels = 20;

/// What goes in and what comes out, gradients included.
struct Made {
  torch::Tensor y, of_x, of_shortcut, of_weight, of_bias, mean, variance;
};

/// The same whoever asks: by a generator of its own, as threads share LibTorch's.
torch::nn::BatchNorm2d uneven_norm() {
  const at::Generator random = at::detail::createCPUGenerator(2);
  torch::nn::BatchNorm2d norm(kChannels);
  torch::NoGradGuard no_grad;
  norm->weight.normal_(0, 1, random);
  norm->bias.normal_(0, 1, random);
  norm->running_mean.normal_(0, 1, random);
  norm->running_var.uniform_(0.5, 2, random);
  return norm;
}

class FusedBatchNormReluTest
    : public testing::TestWithParam<std::tuple<torch::ScalarType, bool, bool, bool>> {
 protected:
  /// One by one by LibTorch's operations, in fp32, or by fused_batch_norm_relu().
  template <typename Forward>
  Made make(torch::ScalarType type, const Forward& forward) const {
    const auto [_, training, adds, relu] = GetParam();
    torch::nn::BatchNorm2d norm = uneven_norm();
    norm->train(training);
    const torch::Tensor x = x_.to(type).contiguous(torch::MemoryFormat::ChannelsLast);
    const torch::Tensor s = shortcut_.to(type).contiguous(torch::MemoryFormat::ChannelsLast);
    x.requires_grad_();
    s.requires_grad_();
    const torch::Tensor y = forward(norm, x, adds ? s : torch::Tensor(), relu);
    y.backward(gradient_.to(type));
    return {y.detach(),          x.grad(),          adds ? s.grad() : torch::Tensor(),
            norm->weight.grad(), norm->bias.grad(), norm->running_mean,
            norm->running_var};
  }
  static Made one_by_one(const FusedBatchNormReluTest& test) {
    return test.make(torch::kFloat, [](auto& norm, const auto& x, const auto& s, bool relu) {
      torch::Tensor y = norm(x);
      if (s.defined()) y = y + s;
      return relu ? torch::relu(y) : y;
    });
  }

  /// Rows that do not fill a block, and channels far from zero, where small variances drown. In
  /// bfloat16, so that both kinds see the same numbers.
  const torch::Tensor x_ = [] {
    torch::manual_seed(1);
    const torch::Tensor far = torch::randn({1, kChannels, 1, 1}) * 10;
    return (torch::randn({7, kChannels, 27, 25}) + far).to(torch::kBFloat16).to(torch::kFloat);
  }();
  const torch::Tensor shortcut_ = torch::randn_like(x_).to(torch::kBFloat16).to(torch::kFloat);
  const torch::Tensor gradient_ = torch::randn_like(x_).to(torch::kBFloat16).to(torch::kFloat);
};

void expect_near(const torch::Tensor& a, const torch::Tensor& b, double tolerance,
                 const char* what) {
  ASSERT_EQ(a.defined(), b.defined()) << what;
  if (!a.defined()) return;
  const double error = (a.to(torch::kFloat) - b).abs().max().item<double>();
  EXPECT_LT(error, tolerance * b.abs().max().item<double>()) << what;
}

TEST_P(FusedBatchNormReluTest, IsWhatTheOperationsMakeOneByOne) {
  const auto type = std::get<0>(GetParam());
  const Made expected = one_by_one(*this);
  const Made made = make(type, [](auto& norm, const auto& x, const auto& s, bool relu) {
    return fused_batch_norm_relu(*norm, x, {}, s, relu);
  });
  EXPECT_EQ(made.y.scalar_type(), type);
  EXPECT_TRUE(made.y.is_contiguous(torch::MemoryFormat::ChannelsLast));
  const bool bf16 = type == torch::kBFloat16;
  expect_near(made.y, expected.y, bf16 ? 4e-3 : 1e-5, "output");
  expect_near(made.of_x, expected.of_x, bf16 ? 8e-3 : 1e-4, "gradient of the input");
  expect_near(made.of_shortcut, expected.of_shortcut, bf16 ? 4e-3 : 1e-6, "of the shortcut");
  // Where an output is rounded to zero, its gradient stops.
  expect_near(made.of_weight, expected.of_weight, bf16 ? 5e-3 : 1e-4, "of the weight");
  expect_near(made.of_bias, expected.of_bias, bf16 ? 5e-3 : 1e-4, "of the bias");
  expect_near(made.mean, expected.mean, 1e-6, "running mean");
  expect_near(made.variance, expected.variance, 1e-5, "running variance");
}

TEST_P(FusedBatchNormReluTest, DoesNotDependOnTheNumberOfThreads) {
  const auto forward = [](auto& norm, const auto& x, const auto& s, bool relu) {
    return fused_batch_norm_relu(*norm, x, {}, s, relu);
  };
  const int threads = torch::get_num_threads();
  torch::set_num_threads(1);
  const Made one = make(std::get<0>(GetParam()), forward);
  torch::set_num_threads(3);
  const Made three = make(std::get<0>(GetParam()), forward);
  torch::set_num_threads(threads);
  EXPECT_TRUE(one.y.equal(three.y));
  EXPECT_TRUE(one.of_x.equal(three.of_x));
  EXPECT_TRUE(one.of_weight.equal(three.of_weight));
}

std::string name_of(const testing::TestParamInfo<FusedBatchNormReluTest::ParamType>& info) {
  const auto [type, training, adds, relu] = info.param;
  return std::string(type == torch::kFloat ? "Fp32" : "Bf16") + (training ? "Training" : "Frozen") +
         (adds ? "Shortcut" : "") + (relu ? "Relu" : "");
}

INSTANTIATE_TEST_SUITE_P(All, FusedBatchNormReluTest,
                         testing::Combine(testing::Values(torch::kFloat, torch::kBFloat16),
                                          testing::Bool(), testing::Bool(), testing::Bool()),
                         name_of);

TEST(FusedBatchNormRelu, TakesOtherLayouts) {
  torch::nn::BatchNorm2d norm = uneven_norm();
  norm->eval();
  const torch::Tensor x = torch::randn({2, kChannels, 5, 6});  // channels first
  EXPECT_TRUE(fused_batch_norm_relu(*norm, x).allclose(torch::relu(norm(x)), 1e-5, 1e-5));
  const torch::Tensor shortcut = torch::randn_like(x);
  EXPECT_TRUE(fused_batch_norm_relu(*norm, x, {}, shortcut, /*relu=*/false)
                  .allclose(norm(x) + shortcut, 1e-5, 1e-5));
}

TEST(FusedBatchNormRelu, LeavesOtherTypesToLibTorch) {
  torch::nn::BatchNorm2d norm = uneven_norm();
  norm->to(torch::kDouble);
  const torch::Tensor x = torch::randn({2, kChannels, 5, 6}, torch::kDouble);
  EXPECT_TRUE(fused_batch_norm_relu(*norm, x).equal(torch::relu(norm->forward(x))));
}

TEST(FusedBatchNormRelu, RefusesAShortcutOfAnotherShape) {
  torch::nn::BatchNorm2d norm = uneven_norm();
  EXPECT_THROW(fused_batch_norm_relu(*norm, torch::randn({2, kChannels, 5, 6}), {},
                                     torch::randn({2, kChannels, 5, 5})),
               c10::Error);
}

TEST(FusedBatchNormRelu, NeedsNoGradients) {
  torch::NoGradGuard no_grad;
  torch::nn::BatchNorm2d norm = uneven_norm();
  norm->eval();
  const torch::Tensor x =
      torch::randn({2, kChannels, 5, 6}).contiguous(torch::MemoryFormat::ChannelsLast);
  const torch::Tensor y = fused_batch_norm_relu(*norm, x);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_TRUE(y.allclose(torch::relu(norm(x)), 1e-5, 1e-5));
}

TEST(FusedBatchNormRelu, KeepsWhatIsNoNumber) {
  torch::nn::BatchNorm2d norm = uneven_norm();
  norm->eval();
  for (const auto type : {torch::kFloat, torch::kBFloat16}) {
    torch::Tensor x =
        torch::ones({1, kChannels, 2, 2}, type).contiguous(torch::MemoryFormat::ChannelsLast);
    x[0][3][1][1] = std::numeric_limits<float>::quiet_NaN();
    for (const bool relu : {false, true}) {
      const torch::Tensor nan = fused_batch_norm_relu(*norm, x, {}, {}, relu).isnan();
      EXPECT_TRUE(nan[0][3][1][1].item<bool>()) << type << ", relu " << relu;
      EXPECT_EQ(nan.sum().item<int>(), 1) << type << ", relu " << relu;
    }
  }
}

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

Made run(const torch::Tensor& input, const torch::Tensor& gradient, const BatchShardPtr& shard) {
  torch::nn::BatchNorm2d norm = uneven_norm();
  if (input.scalar_type() == torch::kDouble) norm->to(torch::kDouble);
  const torch::Tensor x = input.clone().requires_grad_();
  const torch::Tensor y = fused_batch_norm_relu(*norm, x, shard, {}, /*relu=*/false);
  y.backward(gradient);
  EXPECT_EQ(norm->num_batches_tracked.item<std::int64_t>(), 1);
  return {y.detach(),         x.grad(),         {}, norm->weight.grad(), norm->bias.grad(),
          norm->running_mean, norm->running_var};
}

/// The same, of two parts of the batch in two threads.
std::array<Made, 2> run_in_parts(const torch::Tensor& input, const torch::Tensor& gradient,
                                 std::int64_t rows_of_first) {
  Adder adder;
  std::array<Made, 2> made;
  const auto run_part = [&](std::size_t part) {
    auto shard = c10::make_intrusive<BatchShard>();
    shard->sum = [&](torch::Tensor& tensor) { adder.sum(tensor); };
    const auto rows = part == 0 ? rows_of_first : input.size(0) - rows_of_first;
    const auto first = part == 0 ? 0 : rows_of_first;
    made[part] = run(input.narrow(0, first, rows), gradient.narrow(0, first, rows), shard);
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
  expect_near(joined(&Made::y), whole.y, "output");
  expect_near(joined(&Made::of_x), whole.of_x, "gradient of the input");
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
  const torch::Tensor offset = torch::linspace(-1000, 100, kChannels).view({1, kChannels, 1, 1});
  return torch::randn({10, kChannels, 5, 5}) + rows + offset;
}

TEST(FusedBatchNormRelu, OfPartsIsThatOfTheWholeBatch) {
  const torch::Tensor x = uneven_batch();
  const torch::Tensor gradient = torch::randn_like(x);
  expect_parts_are_the_whole(x, gradient, 2e-5);
  expect_parts_are_the_whole(x.contiguous(torch::MemoryFormat::ChannelsLast),
                             gradient.contiguous(torch::MemoryFormat::ChannelsLast), 2e-5);
}

TEST(FusedBatchNormRelu, OfPartsIsThatOfTheWholeBatchInBf16) {
  torch::manual_seed(1);
  const torch::Tensor x = torch::randn({10, kChannels, 5, 5}).to(torch::kBFloat16);
  expect_parts_are_the_whole(x, torch::randn_like(x), 1e-2);
}

// On devices, too, LibTorch's operations do it.
TEST(FusedBatchNormRelu, OfPartsIsThatOfTheWholeBatchInWhatIsLeftToLibTorch) {
  const torch::Tensor x = uneven_batch().to(torch::kDouble);
  expect_parts_are_the_whole(x, torch::randn_like(x), 1e-9);
}

TEST(FusedBatchNormRelu, AsksNobodyWhenItDoesNotLearn) {
  torch::nn::BatchNorm2d norm(kChannels);
  const auto shard = c10::make_intrusive<BatchShard>();
  shard->sum = [](torch::Tensor&) { FAIL() << "asked for a sum"; };
  norm->eval();
  const torch::Tensor x = torch::randn({2, kChannels, 4, 4});
  EXPECT_TRUE(fused_batch_norm_relu(*norm, x, shard, {}, /*relu=*/false).allclose(x, 1e-4));
}

}  // namespace
}  // namespace fer
