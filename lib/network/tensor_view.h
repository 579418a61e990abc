// Between LibTorch's tensors and safetensors' views.
#pragma once

#include <torch/types.h>

#include "model/safetensors.h"

namespace fer {

/// A tensor over the view's memory, which must outlive it. No copy.
torch::Tensor tensor_of(const TensorView& view);

/// A view of a contiguous CPU tensor's memory. Throws std::invalid_argument for other types.
TensorView view_of(const torch::Tensor& tensor);

}  // namespace fer
