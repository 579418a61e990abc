#include "model/batch_norm.h"

#include <torch/torch.h>

namespace fer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Of the values of each channel in the whole batch; fp32.
struct Moments {
  torch::Tensor mean, variance;  ///< C; the variance divided by `count`.
  double count = 0;
};

/// In double: the second moment is far larger than the variance where the mean is.
Moments moments_of(const torch::Tensor& x, const BatchShare& share) {
  const auto [mean, variance] = at::batch_norm_update_stats(x.to(torch::kFloat), {}, {}, 0);
  const torch::Tensor m = mean.to(torch::kDouble), v = variance.to(torch::kDouble);
  const auto count = static_cast<double>(x.numel() / x.size(1));
  torch::Tensor sums =
      torch::cat({m * count, (v + m * m) * count, torch::full({1}, count).to(torch::kDouble)});
  share.sum(sums);
  const auto channels = x.size(1);
  const double all = sums[2 * channels].item<double>();
  const torch::Tensor first = sums.narrow(0, 0, channels) / all;
  const torch::Tensor second = sums.narrow(0, channels, channels) / all;
  return {first.to(torch::kFloat), (second - first * first).clamp_min(0).to(torch::kFloat), all};
}

/// (x − mean) / deviation · weight + bias, where mean and deviation follow from x in all processes.
class Normalise : public torch::autograd::Function<Normalise> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               const torch::Tensor& mean, const torch::Tensor& variance,
                               double count, double eps, const BatchSharePtr& share) {
    context->save_for_backward({x, weight, mean, torch::rsqrt(variance + eps)});
    context->saved_data["count"] = count;
    context->saved_data["eps"] = eps;
    context->saved_data["share"] = c10::IValue::make_capsule(share);
    return std::get<0>(
        at::native_batch_norm(x, weight, bias, mean, variance, /*training=*/false, 0, eps));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &scale = saved[3];
    const torch::Tensor dy = gradients[0].contiguous(x.suggest_memory_format());
    // Σ dy·x̂ and Σ dy of each channel: the gradients of weight and bias.
    const auto [none, of_weight, of_bias] =
        at::native_batch_norm_backward(dy, x, weight, {}, {}, mean, scale, /*train=*/true,
                                       context->saved_data["eps"].toDouble(), {false, true, true});
    torch::Tensor means = torch::stack({of_weight, of_bias}).to(torch::kFloat);
    const auto share =
        c10::static_intrusive_pointer_cast<BatchShare>(context->saved_data["share"].toCapsule());
    share->sum(means);
    means /= context->saved_data["count"].toDouble();
    // weight · scale · (dy − mean(dy) − x̂ · mean(dy·x̂)), with x̂ = (x − mean) · scale, as a line
    // through dy and x, so that few tensors of their size are made.
    const torch::Tensor a = weight * scale;
    const torch::Tensor b = -a * scale * means[0];
    const torch::Tensor c = -a * means[1] - b * mean;
    const auto by_channel = [](const torch::Tensor& t) { return t.view({1, -1, 1, 1}); };
    torch::Tensor dx = dy.to(torch::kFloat) * by_channel(a);
    dx.addcmul_(x.to(torch::kFloat), by_channel(b)).add_(by_channel(c));
    return {dx.to(x.scalar_type()), of_weight, of_bias, {}, {}, {}, {}, {}};
  }
};

}  // namespace

torch::Tensor batch_norm(torch::nn::BatchNorm2d& norm, const torch::Tensor& x,
                         const BatchSharePtr& share) {
  if (!share || !norm->is_training()) return norm(x);
  Moments moments;
  {
    torch::NoGradGuard no_grad;
    moments = moments_of(x, *share);
    const double momentum = *norm->options.momentum();
    norm->running_mean.lerp_(moments.mean, momentum);
    norm->running_var.lerp_(moments.variance * (moments.count / (moments.count - 1)), momentum);
    norm->num_batches_tracked += 1;
  }
  return Normalise::apply(x, norm->weight, norm->bias, moments.mean, moments.variance,
                          moments.count, norm->options.eps(), share);
}

}  // namespace fer
