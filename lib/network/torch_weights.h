// Between LibTorch's tensors, which are trained, and plain ones, which are stored and served.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>

#include "export.h"
#include "model/float_tensor.h"

namespace fer {

struct ModelFile;
struct StoredModel;

/// Copies the floating-point tensors, from whatever device, as fp32. Others are left out: batch
/// norm's step counters serve nobody.
FER_API FloatTensors to_plain(const std::map<std::string, torch::Tensor>& tensors);

/// Copies them: fp32, contiguous, on the CPU.
FER_API std::map<std::string, torch::Tensor> to_torch(const FloatTensors& tensors);

/// The model as it is stored and served.
FER_API StoredModel to_stored(const ModelFile& model);

}  // namespace fer
