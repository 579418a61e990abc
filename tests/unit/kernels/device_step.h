// A step of pseudo-labels on the current device.
#pragma once

#include "unit/kernels/device_array.h"
#include "unit/kernels/pseudo_label_data.h"

namespace fer::test {

/// Copies of a step's data in the device's memory, and the step that points to them.
class DeviceStep {
 public:
  DeviceStep(const StepData& data, std::size_t workspace)
      : step(data.step),
        teacher_(data.teacher),
        labelled_(data.labelled),
        student_(data.student),
        confidence_(data.confidence),
        weights_(data.weights),
        gradient_(data.gradient),
        losses_(data.losses),
        labels_(data.labels),
        pseudo_labels_(data.pseudo_labels),
        chosen_(data.chosen),
        workspace_(workspace),
        state_(std::vector{data.state}) {
    step.teacher = teacher_.data();
    step.labelled = labelled_.data();
    step.student = student_.data();
    step.labels = labels_.data();
    step.state = state_.data();
    step.pseudo_labels = pseudo_labels_.data();
    step.confidence = confidence_.data();
    step.weights = weights_.data();
    step.chosen = chosen_.data();
    step.gradient = gradient_.data();
    step.losses = losses_.data();
    step.workspace = workspace_.data();
  }

  /// Waits for the device, and brings back what the step wrote.
  void read(StepData& data) const {
    data.state = state_.values()[0];
    data.pseudo_labels = pseudo_labels_.values();
    data.confidence = confidence_.values();
    data.weights = weights_.values();
    data.chosen = chosen_.values();
    data.gradient = gradient_.values();
    data.losses = losses_.values();
  }

  kernels::PseudoLabelStep step;

 private:
  DeviceArray<float> teacher_, labelled_, student_, confidence_, weights_, gradient_, losses_;
  DeviceArray<std::int64_t> labels_, pseudo_labels_;
  DeviceArray<std::uint8_t> chosen_, workspace_;
  DeviceArray<kernels::ThresholdState> state_;
};

}  // namespace fer::test
