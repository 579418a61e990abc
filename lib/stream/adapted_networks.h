// The networks that an online learner moves: a student, its average, and the source.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "learn/optim/sgd.h"
#include "network/model_file.h"
#include "network/network.h"

namespace fer {

/// Student, teacher (the student's average) and source, which share the half below the split point:
/// only what is above it changes, and only that is kept, by the names of its parameters and
/// statistics. Teacher and source are in evaluation mode at all times.
///
/// The networks may lie on a device, and activations with them, which are large. All else is in the
/// processor's memory: images, logits and copies of weights.
class AdaptedNetworks {
 public:
  using Tensors = std::map<std::string, torch::Tensor>;

  /// All as the source. `split_point`: residual blocks that never change.
  AdaptedNetworks(const ModelFile& source, int split_point, double momentum,
                  torch::Device device = torch::kCPU);
  AdaptedNetworks(const AdaptedNetworks&) = delete;
  AdaptedNetworks& operator=(const AdaptedNetworks&) = delete;

  int split_point() const { return split_point_; }
  /// Of one face's activations at the split point: C x S x S.
  const std::vector<std::int64_t>& activation_shape() const { return activation_shape_; }
  /// For asking alone: its tensors change through this class.
  Network& teacher() { return teacher_; }

  /// Activations at the split point of images, N x channels x side x side. Without gradients.
  torch::Tensor trunk(const torch::Tensor& images);
  /// Logits of activations at the split point, N x C; of the student with gradients.
  torch::Tensor student_logits(const torch::Tensor& activations);
  torch::Tensor teacher_logits(const torch::Tensor& activations);
  torch::Tensor source_logits(const torch::Tensor& activations);
  /// Pooled features of the source before its head, N x D, of activations at the split point.
  torch::Tensor source_features(const torch::Tensor& activations);

  /// Before the student's forward pass. `freeze_norm`: normalisation statistics stay as they are.
  /// Gradients of a pass that failed are cleared.
  void set_training_mode(bool freeze_norm);
  /// Along the student's gradients, which are cleared.
  void step(double learning_rate) { sgd_->step(learning_rate); }
  /// Moves the student's parameters by the share `pull` towards the source's.
  void anchor_to_source(double pull);
  /// Teacher = decay · teacher + (1 − decay) · student, statistics included.
  void average(double decay);

  /// Copies of the head blocks' tensors.
  Tensors student_weights() const;
  Tensors teacher_weights() const;
  Tensors velocity() const;
  /// Each with the tensors that the getter gives, of the same shapes.
  void set_teacher(const Tensors& weights);
  void set(const Tensors& student, const Tensors& teacher, const Tensors& velocity);
  /// Student and teacher, at rest.
  void start_from(const Tensors& weights);

  /// Whether the teacher is made of numbers.
  bool finite() const;

 private:
  bool adapts(const std::string& name) const;
  Tensors adapted(const Network& network) const;
  Tensors adapted_velocity() const;

  Network student_, teacher_, source_;
  const int split_point_;
  std::vector<std::int64_t> activation_shape_;
  std::vector<std::string> names_;  ///< Parameters and statistics above the split point.
  std::optional<Sgd> sgd_;          ///< Always there, once all is made.
};

}  // namespace fer
