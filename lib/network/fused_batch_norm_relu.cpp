#include "network/fused_batch_norm_relu.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "network/norm_rows.h"

namespace fer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows that one thread takes at a time. Sums are those of such blocks in their order, so that they
/// do not depend on the number of threads.
constexpr std::int64_t kBlock = 4096;

/// Calls f with pointers' type for the tensor's values.
template <typename F>
void with_type_of(const torch::Tensor& x, F&& f) {
  if (x.scalar_type() == torch::kFloat)
    f(float());
  else
    f(std::uint16_t());
}

template <typename T>
T* values(const torch::Tensor& x) {
  return x.defined() && x.numel() > 0 ? static_cast<T*>(x.data_ptr()) : nullptr;
}

std::int64_t row_count(const torch::Tensor& x) {
  return x.numel() / x.size(1);
}

void each_block(const torch::Tensor& x, const std::function<void(std::int64_t, NormRows)>& f) {
  const std::int64_t rows = row_count(x), channels = x.size(1);
  at::parallel_for(0, (rows + kBlock - 1) / kBlock, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t block = first; block < last; ++block)
      f(block, {block * kBlock, std::min(rows, (block + 1) * kBlock), channels});
  });
}

/// Two sums a channel over all rows: what `sum` adds for a block.
using Sums = std::pair<std::vector<double>, std::vector<double>>;
Sums sums_of(const torch::Tensor& x,
             const std::function<void(NormRows, double* first, double* second)>& sum) {
  const auto channels = static_cast<std::size_t>(x.size(1));
  const auto blocks = static_cast<std::size_t>((row_count(x) + kBlock - 1) / kBlock);
  std::vector<double> parts(blocks * 2 * channels);
  each_block(x, [&](std::int64_t block, NormRows rows) {
    double* part = parts.data() + static_cast<std::size_t>(block) * 2 * channels;
    sum(rows, part, part + channels);
  });
  Sums sums{std::vector<double>(channels), std::vector<double>(channels)};
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t c = 0; c < channels; ++c) {
      sums.first[c] += parts[block * 2 * channels + c];
      sums.second[c] += parts[block * 2 * channels + channels + c];
    }
  }
  return sums;
}

/// Of the values of each channel in the whole batch; C, fp32.
struct Moments {
  torch::Tensor mean, variance;  ///< The variance divided by `count`.
  double count = 0;
};

Moments moments_of(const torch::Tensor& x, const BatchShardPtr& shard) {
  const auto count = static_cast<double>(row_count(x));
  const torch::Tensor pivot =
      x.select(0, 0).select(1, 0).select(1, 0).to(torch::kFloat).contiguous();
  Sums sums;
  with_type_of(x, [&](auto type) {
    using T = decltype(type);
    sums = sums_of(x, [&](NormRows rows, double* first, double* second) {
      sum_moments(values<const T>(x), pivot.data_ptr<float>(), rows, first, second);
    });
  });
  // In double: the second moment is far larger than the variance where the mean is.
  torch::Tensor mean = torch::tensor(sums.first, torch::kDouble) / count;
  torch::Tensor variance = torch::tensor(sums.second, torch::kDouble) / count - mean * mean;
  mean += pivot;
  Moments moments{{}, {}, count};
  if (shard) {
    torch::Tensor all = torch::cat(
        {mean * count, (variance + mean * mean) * count, torch::full({1}, count, torch::kDouble)});
    shard->sum(all);
    const std::int64_t channels = x.size(1);
    moments.count = all[2 * channels].item<double>();
    mean = all.narrow(0, 0, channels) / moments.count;
    variance = all.narrow(0, channels, channels) / moments.count - mean * mean;
  }
  moments.mean = mean.to(torch::kFloat);
  moments.variance = variance.clamp_min(0).to(torch::kFloat);
  return moments;
}

class FusedBatchNormRelu : public torch::autograd::Function<FusedBatchNormRelu> {
 public:
  /// `shortcut` is empty where there is none. `count`: the number of rows that mean and variance
  /// are of, and through which gradients go; 0 where they are given.
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& shortcut, const torch::Tensor& weight,
                               const torch::Tensor& bias, const torch::Tensor& mean,
                               const torch::Tensor& variance, double count, double eps, bool relu,
                               const BatchShardPtr& shard) {
    const torch::Tensor deviation = torch::rsqrt(variance + eps);
    const torch::Tensor scale = weight * deviation, shift = bias - mean * scale;
    torch::Tensor y = torch::empty_like(x);
    with_type_of(x, [&](auto type) {
      using T = decltype(type);
      each_block(x, [&](std::int64_t, NormRows rows) {
        scale_rows(values<const T>(x), scale.data_ptr<float>(), shift.data_ptr<float>(),
                   values<const T>(shortcut), relu, rows, values<T>(y));
      });
    });
    context->save_for_backward({x, y, weight, mean, deviation});
    context->saved_data["count"] = count;
    context->saved_data["share"] = c10::IValue::make_capsule(shard);
    context->saved_data["relu"] = relu;
    context->saved_data["adds"] = shortcut.numel() > 0;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &y = saved[1], &weight = saved[2], &mean = saved[3],
                        &deviation = saved[4];
    const bool relu = context->saved_data["relu"].toBool();
    const torch::Tensor dy =
        gradients[0].to(x.scalar_type()).contiguous(torch::MemoryFormat::ChannelsLast);
    Sums sums;
    torch::Tensor dx = torch::empty_like(x), of_shortcut;
    if (context->saved_data["adds"].toBool()) of_shortcut = torch::empty_like(x);
    with_type_of(x, [&](auto type) {
      using T = decltype(type);
      sums = sums_of(x, [&](NormRows rows, double* first, double* second) {
        sum_gradients(values<const T>(dy), values<const T>(y), values<const T>(x),
                      mean.data_ptr<float>(), relu, rows, first, second);
      });
    });
    const torch::Tensor of_bias = torch::tensor(sums.first, torch::kDouble).to(torch::kFloat);
    const torch::Tensor of_weight =
        torch::tensor(sums.second, torch::kDouble).to(torch::kFloat) * deviation;
    // weight · deviation · (dy − mean(dy) − x̂ · mean(dy · x̂)), with x̂ = (x − mean) · deviation, as
    // a line through dy and x; without the means where the moments are given.
    const torch::Tensor a = weight * deviation;
    torch::Tensor b = torch::zeros_like(a), c = torch::zeros_like(a);
    if (const double count = context->saved_data["count"].toDouble(); count > 0) {
      torch::Tensor means = torch::stack({of_weight, of_bias});
      const auto shard =
          c10::static_intrusive_pointer_cast<BatchShard>(context->saved_data["share"].toCapsule());
      if (shard) shard->sum(means);
      means /= count;
      b = -a * deviation * means[0];
      c = -a * means[1] - b * mean;
    }
    with_type_of(x, [&](auto type) {
      using T = decltype(type);
      each_block(x, [&](std::int64_t, NormRows rows) {
        spread_gradients(values<const T>(dy), values<const T>(y), values<const T>(x),
                         a.data_ptr<float>(), b.data_ptr<float>(), c.data_ptr<float>(), relu, rows,
                         values<T>(dx), values<T>(of_shortcut));
      });
    });
    return {dx, of_shortcut, of_weight, of_bias, {}, {}, {}, {}, {}, {}};
  }
};

/// One value a channel, to go with N x C x H x W.
torch::Tensor by_channel(const torch::Tensor& values) {
  return values.view({1, -1, 1, 1});
}

torch::Tensor sum_by_channel(const torch::Tensor& x) {
  return x.sum({0, 2, 3});
}

/// Batch norm of a share by LibTorch's operations, wherever they compute; a device is not waited
/// for.
class SharedNorm : public torch::autograd::Function<SharedNorm> {
 public:
  /// Mean, variance and `count` (of rows, no dimension) are of the whole batch.
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               const torch::Tensor& mean, const torch::Tensor& variance,
                               const torch::Tensor& count, double eps, const BatchShardPtr& shard) {
    const torch::Tensor deviation = torch::rsqrt(variance + eps);
    context->save_for_backward({x, weight, mean, deviation, count});
    context->saved_data["share"] = c10::IValue::make_capsule(shard);
    return ((x - by_channel(mean)) * by_channel(weight * deviation) + by_channel(bias))
        .to(x.scalar_type());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &deviation = saved[3],
                        &count = saved[4];
    const torch::Tensor dy = gradients[0].to(weight.scalar_type());
    const torch::Tensor normal = (x - by_channel(mean)) * by_channel(deviation);
    const torch::Tensor of_weight = sum_by_channel(dy * normal), of_bias = sum_by_channel(dy);
    torch::Tensor means = torch::stack({of_weight, of_bias});
    c10::static_intrusive_pointer_cast<BatchShard>(context->saved_data["share"].toCapsule())
        ->sum(means);
    means = means / count;
    const torch::Tensor dx = by_channel(weight * deviation) *
                             (dy - by_channel(means[1]) - normal * by_channel(means[0]));
    return {dx.to(x.scalar_type()), of_weight, of_bias, {}, {}, {}, {}, {}};
  }
};

/// In training, of a share that is not is_plain(). Moves the running statistics.
torch::Tensor shared_norm(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& x,
                          const BatchShardPtr& shard) {
  const torch::ScalarType type = norm.weight.scalar_type();
  torch::Tensor mean, variance, count;
  {
    torch::NoGradGuard no_grad;
    const torch::Tensor wide = x.to(type);
    const auto here = static_cast<double>(row_count(x));
    mean = wide.mean({0, 2, 3}).to(torch::kDouble);
    variance = wide.var({0, 2, 3}, /*unbiased=*/false).to(torch::kDouble);
    torch::Tensor all = torch::cat(
        {mean * here, (variance + mean * mean) * here, torch::full({1}, here, mean.options())});
    shard->sum(all);
    const std::int64_t channels = x.size(1);
    count = all[2 * channels];
    mean = all.narrow(0, 0, channels) / count;
    variance = (all.narrow(0, channels, channels) / count - mean * mean).clamp_min(0);
    const double momentum = *norm.options.momentum();
    norm.running_mean.lerp_(mean.to(type), momentum);
    norm.running_var.lerp_((variance * (count / (count - 1).clamp_min(1))).to(type), momentum);
    norm.num_batches_tracked += 1;
  }
  return SharedNorm::apply(x, norm.weight, norm.bias, mean.to(type), variance.to(type),
                           count.to(type), norm.options.eps(), shard);
}

bool is_plain(const torch::Tensor& x) {
  return x.device().is_cpu() && x.dim() == 4 && x.numel() > 0 &&
         (x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kBFloat16);
}

torch::Tensor in_rows(const torch::Tensor& x) {
  return x.contiguous(torch::MemoryFormat::ChannelsLast);
}

}  // namespace

torch::Tensor fused_batch_norm_relu(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& input,
                                    const BatchShardPtr& shard, const torch::Tensor& shortcut,
                                    bool relu) {
  const bool fits = is_plain(input) && norm.weight.scalar_type() == torch::kFloat &&
                    norm.weight.is_contiguous() && (!shortcut.defined() || is_plain(shortcut));
  if (!fits) {
    torch::Tensor y =
        shard && norm.is_training() ? shared_norm(norm, input, shard) : norm.forward(input);
    if (shortcut.defined()) y = y + shortcut;
    return relu ? torch::relu(y) : y;
  }
  TORCH_CHECK(!shortcut.defined() || shortcut.sizes() == input.sizes(),
              "expected a shortcut of the shape ", input.sizes(), ", found ", shortcut.sizes());
  const torch::Tensor x = in_rows(input);
  // An autograd function takes no undefined tensors.
  const torch::Tensor added =
      shortcut.defined() ? in_rows(shortcut.to(x.scalar_type())) : torch::empty({0});
  const double eps = norm.options.eps();
  if (!norm.is_training()) {
    return FusedBatchNormRelu::apply(x, added, norm.weight, norm.bias, norm.running_mean,
                                     norm.running_var,
                                     /*count=*/0., eps, relu, shard);
  }
  Moments moments;
  {
    torch::NoGradGuard no_grad;
    moments = moments_of(x, shard);
    const double momentum = *norm.options.momentum();
    norm.running_mean.lerp_(moments.mean, momentum);
    norm.running_var.lerp_(moments.variance * (moments.count / std::max(1.0, moments.count - 1)),
                           momentum);
    norm.num_batches_tracked += 1;
  }
  return FusedBatchNormRelu::apply(x, added, norm.weight, norm.bias, moments.mean, moments.variance,
                                   moments.count, eps, relu, shard);
}

}  // namespace fer
