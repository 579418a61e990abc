// The precompiled header of every target that includes LibTorch: parsing it takes most of a
// compile.
#include <torch/torch.h>

#include <nlohmann/json.hpp>
