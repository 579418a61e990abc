#include "learn/losses/unsupervised_loss.h"

#include <torch/torch.h>

#include <cstring>

#include "kernels/pseudo_label_step.h"
#include "learn/device/compute_device.h"

namespace fer {

struct UnsupervisedLoss::Impl {
  Impl(const ThresholdPolicy& policy, const NegativePolicy& negative, int count,
       torch::Device wanted)
      : thresholds(policy.rule()),
        negatives(negative.rule()),
        uses_labelled(policy.uses_labelled()),
        classes(count),
        table(kernels_for(wanted)),
        device(table ? wanted : torch::Device(torch::kCPU)),
        state(bytes(sizeof(kernels::ThresholdState))),
        workspace(table ? bytes(table->pseudo_label_workspace()) : torch::Tensor()) {
    set(policy.state());
  }

  void set(const kernels::ThresholdState& numbers) {
    torch::Tensor here = torch::empty({sizeof numbers}, torch::kByte);
    std::memcpy(here.data_ptr(), &numbers, sizeof numbers);
    state.copy_(here);
  }

  torch::Tensor bytes(std::size_t count) const {
    return torch::empty({static_cast<std::int64_t>(count)},
                        torch::TensorOptions(torch::kByte).device(device));
  }

  const kernels::ThresholdRule thresholds;
  kernels::NegativeRule negatives;
  const bool uses_labelled;
  const int classes;
  const kernels::KernelTable* const table;
  const torch::Device device;  ///< Where the step runs.
  const torch::Tensor state, workspace;
};

UnsupervisedLoss::UnsupervisedLoss(const ThresholdPolicy& thresholds,
                                   const NegativePolicy& negatives, int classes,
                                   torch::Device device)
    : impl_(std::make_unique<Impl>(thresholds, negatives, classes, device)) {}

UnsupervisedLoss::~UnsupervisedLoss() = default;

UnsupervisedLosses UnsupervisedLoss::operator()(const PolicyInput& step,
                                                const torch::Tensor& student, double lambda_u,
                                                double lambda_n) {
  const auto on_device = [&](const torch::Tensor& tensor, torch::ScalarType type) {
    return tensor.detach().to(impl_->device, type).contiguous();
  };
  const torch::Tensor teacher = on_device(step.unlabelled, torch::kFloat);
  const torch::Tensor logits = on_device(student, torch::kFloat);
  const std::int64_t rows = teacher.size(0), classes = impl_->classes;
  torch::Tensor labelled, labels;
  const auto room = [&](at::IntArrayRef shape, torch::ScalarType type) {
    return torch::empty(shape, torch::TensorOptions(type).device(impl_->device));
  };
  UnsupervisedLosses out{
      {room({rows}, torch::kLong), room({rows}, torch::kFloat), room({rows}, torch::kFloat)},
      room({rows, classes}, torch::kBool),
      room({2}, torch::kFloat),
      room({rows, classes}, torch::kFloat)};

  kernels::PseudoLabelStep s;
  s.rows = static_cast<int>(rows);
  s.classes = impl_->classes;
  s.teacher = teacher.data_ptr<float>();
  s.teacher_is_probabilities = true;
  if (impl_->uses_labelled) {
    labelled = on_device(step.labelled, torch::kFloat);
    labels = on_device(step.labels, torch::kLong);
    s.labelled_rows = static_cast<int>(labelled.size(0));
    s.labelled = labelled.data_ptr<float>();
    s.labels = labels.data_ptr<std::int64_t>();
  }
  s.student = logits.data_ptr<float>();
  s.step = step.step;
  s.epoch = step.epoch;
  s.thresholds = impl_->thresholds;
  s.negatives = impl_->negatives;
  if (lambda_n == 0) s.negatives = kernels::NegativeRule::of<kernels::NoNegatives>();
  s.lambda_u = lambda_u;
  s.lambda_n = lambda_n;
  s.state = static_cast<kernels::ThresholdState*>(impl_->state.data_ptr());
  s.pseudo_labels = out.pseudo.labels.data_ptr<std::int64_t>();
  s.confidence = out.pseudo.confidence.data_ptr<float>();
  s.weights = out.pseudo.weights.data_ptr<float>();
  s.chosen = static_cast<std::uint8_t*>(out.chosen.data_ptr());
  s.gradient = out.gradient.data_ptr<float>();
  s.losses = out.losses.data_ptr<float>();
  if (!impl_->table) {
    kernels::pseudo_label_step(s);
    const torch::Device wanted = student.device();
    return {{out.pseudo.labels.to(wanted), out.pseudo.confidence.to(wanted),
             out.pseudo.weights.to(wanted)},
            out.chosen.to(wanted),
            out.losses.to(wanted),
            out.gradient.to(wanted)};
  }
  kernels::check(s);
  s.workspace = impl_->workspace.data_ptr();
  launch_on(impl_->device, *impl_->table, "pseudo_label_step",
            [&] { return impl_->table->pseudo_label_step(s, nullptr); });
  return out;
}

void UnsupervisedLoss::set_state(const kernels::ThresholdState& state) {
  impl_->set(state);
}

void UnsupervisedLoss::set_negatives(const kernels::NegativeRule& rule) {
  impl_->negatives = rule;
}

kernels::ThresholdState UnsupervisedLoss::state() const {
  const torch::Tensor here = impl_->state.to(torch::kCPU);
  kernels::ThresholdState numbers;
  std::memcpy(&numbers, here.data_ptr(), sizeof numbers);
  return numbers;
}

}  // namespace fer
