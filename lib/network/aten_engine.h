// Inference by LibTorch.
#pragma once

#include <memory>
#include <string>

#include "model/inference_engine.h"
#include "model/precision.h"

namespace fer {

struct FoldedNetwork;

/// LibTorch on a device as resolve_device() names it: the only way on CUDA, the slow one on a CPU.
std::unique_ptr<InferenceEngine> make_aten_engine(const FoldedNetwork& network, Precision precision,
                                                  const std::string& device);

}  // namespace fer
