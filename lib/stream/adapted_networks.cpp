#include "stream/adapted_networks.h"

#include <torch/torch.h>

#include <algorithm>

#include "learn/run/model_network.h"
#include "learn/run/module_run.h"

namespace fer {
namespace {

using Tensors = AdaptedNetworks::Tensors;

/// In the processor's memory.
Tensors copies(const Tensors& tensors) {
  Tensors result;
  for (const auto& [name, tensor] : tensors) {
    result[name] = tensor.detach().to(tensor.options().device(torch::kCPU),
                                      /*non_blocking=*/false, /*copy=*/true);
  }
  return result;
}

void assign(const Tensors& to, const Tensors& from) {
  torch::NoGradGuard no_grad;
  for (auto [name, tensor] : to) tensor.copy_(from.at(name));
}

}  // namespace

AdaptedNetworks::AdaptedNetworks(const ModelFile& source, int split_point, double momentum,
                                 torch::Device device)
    : student_(network_of(source, "the source model", device)),
      teacher_(network_of(source, "the source model", device)),
      source_(network_of(source, "the source model", device)),
      split_point_(split_point) {
  for (const auto& [name, tensor] : state_of(*student_))
    if (!student_->is_in_trunk(name, static_cast<std::size_t>(split_point_)))
      names_.push_back(name);
  for (auto& item : student_->named_parameters())
    item.value().set_requires_grad(adapts(item.key()));
  for (Network* network : {&teacher_, &source_})
    for (torch::Tensor& parameter : (*network)->parameters()) parameter.set_requires_grad(false);
  sgd_.emplace(*student_, momentum, /*weight_decay=*/0);
  const NetworkConfig& n = source.info.network;
  const torch::Tensor one = trunk(torch::zeros({1, n.channels, n.input_size, n.input_size}));
  activation_shape_.assign(one.sizes().begin() + 1, one.sizes().end());
}

torch::Tensor AdaptedNetworks::trunk(const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  return teacher_->trunk(images.to(teacher_->device()), static_cast<std::size_t>(split_point_));
}

torch::Tensor AdaptedNetworks::student_logits(const torch::Tensor& activations) {
  return student_->head_blocks(activations, static_cast<std::size_t>(split_point_)).to(torch::kCPU);
}

torch::Tensor AdaptedNetworks::teacher_logits(const torch::Tensor& activations) {
  torch::NoGradGuard no_grad;
  return teacher_->head_blocks(activations, static_cast<std::size_t>(split_point_)).to(torch::kCPU);
}

torch::Tensor AdaptedNetworks::source_logits(const torch::Tensor& activations) {
  torch::NoGradGuard no_grad;
  return source_->head_blocks(activations, static_cast<std::size_t>(split_point_)).to(torch::kCPU);
}

torch::Tensor AdaptedNetworks::source_features(const torch::Tensor& activations) {
  torch::NoGradGuard no_grad;
  torch::Tensor x = activations;
  for (auto i = static_cast<std::size_t>(split_point_); i < source_->blocks.size(); ++i)
    x = source_->blocks[i](x);
  if (!source_->attention.is_empty()) x = source_->attention(x);
  return x.mean({2, 3}).to(torch::kCPU, torch::kFloat);
}

void AdaptedNetworks::set_training_mode(bool freeze_norm) {
  student_->zero_grad(/*set_to_none=*/true);
  student_->train();
  if (!freeze_norm) return;
  for (const auto& module : student_->modules())
    if (module->as<torch::nn::BatchNorm2d>()) module->eval();
}

void AdaptedNetworks::anchor_to_source(double pull) {
  torch::NoGradGuard no_grad;
  const Tensors source = adapted(source_);
  for (auto [name, tensor] : adapted(student_)) {
    // Statistics that are learnt are not weights to be pulled.
    if (tensor.requires_grad()) tensor.lerp_(source.at(name), pull);
  }
}

void AdaptedNetworks::average(double decay) {
  torch::NoGradGuard no_grad;
  const Tensors student = adapted(student_);
  for (auto [name, tensor] : adapted(teacher_)) tensor.lerp_(student.at(name), 1 - decay);
}

Tensors AdaptedNetworks::student_weights() const {
  return copies(adapted(student_));
}

Tensors AdaptedNetworks::teacher_weights() const {
  return copies(adapted(teacher_));
}

Tensors AdaptedNetworks::velocity() const {
  return copies(adapted_velocity());
}

void AdaptedNetworks::set_teacher(const Tensors& weights) {
  assign(adapted(teacher_), weights);
}

void AdaptedNetworks::set(const Tensors& student, const Tensors& teacher, const Tensors& velocity) {
  assign(adapted(student_), student);
  assign(adapted(teacher_), teacher);
  assign(adapted_velocity(), velocity);
}

void AdaptedNetworks::start_from(const Tensors& weights) {
  assign(adapted(student_), weights);
  assign(adapted(teacher_), weights);
  for (auto& [name, tensor] : sgd_->velocity) tensor.zero_();
}

bool AdaptedNetworks::finite() const {
  for (const auto& [name, tensor] : adapted(teacher_))
    if (!tensor.isfinite().all().item<bool>()) return false;
  return true;
}

bool AdaptedNetworks::adapts(const std::string& name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

/// The tensors themselves.
Tensors AdaptedNetworks::adapted(const Network& network) const {
  const Tensors all = state_of(*network);
  Tensors result;
  for (const std::string& name : names_) result[name] = all.at(name);
  return result;
}

Tensors AdaptedNetworks::adapted_velocity() const {
  Tensors result;
  for (const auto& [name, tensor] : sgd_->velocity)
    if (adapts(name)) result[name] = tensor;
  return result;
}

}  // namespace fer
