#include "network/tensor_view.h"

#include <stdexcept>

namespace fer {
namespace {

constexpr std::pair<DType, torch::ScalarType> kTypes[] = {{DType::kU8, torch::kUInt8},
                                                          {DType::kI64, torch::kInt64},
                                                          {DType::kF32, torch::kFloat32},
                                                          {DType::kBF16, torch::kBFloat16},
                                                          {DType::kF16, torch::kFloat16}};

}  // namespace

torch::Tensor tensor_of(const TensorView& view) {
  for (const auto& [dtype, scalar] : kTypes)
    if (dtype == view.dtype)
      return torch::from_blob(const_cast<void*>(view.data), view.shape, scalar);
  throw std::invalid_argument("tensor_of: unknown type");
}

TensorView view_of(const torch::Tensor& tensor) {
  if (!tensor.is_contiguous() || !tensor.device().is_cpu())
    throw std::invalid_argument("view_of: expected a contiguous tensor on the CPU");
  for (const auto& [dtype, scalar] : kTypes) {
    if (scalar == tensor.scalar_type())
      return {dtype, tensor.sizes().vec(), tensor.data_ptr(), tensor.nbytes()};
  }
  throw std::invalid_argument("view_of: unsupported tensor type");
}

}  // namespace fer
