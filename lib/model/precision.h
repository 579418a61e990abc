// In what arithmetic a model is computed.
#pragma once

#include "export.h"

namespace fer {

/// Arithmetic of the convolutions.
enum class Precision {
  kFp32,
  kBf16,
  kAuto,  ///< bf16 where the processor computes in it, else fp32.
};

/// Whether this processor has instructions for bf16. Without them it takes longer than fp32.
FER_API bool cpu_has_bf16();

}  // namespace fer
