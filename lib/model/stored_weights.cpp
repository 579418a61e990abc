#include "model/stored_weights.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "util/bfloat16.h"
#include "util/float16.h"

namespace fer {
namespace {

/// No network that was trained has numbers near it, and sums over products of those do not
/// overflow.
constexpr float kMaxWeight = 1e10f;

/// The view's numbers, which `value` makes of 16 bits each.
template <typename Value>
std::vector<float> widened(const TensorView& view, Value&& value) {
  const auto* bits = static_cast<const std::uint16_t*>(view.data);
  std::vector<float> values(view.bytes / sizeof *bits);
  std::transform(bits, bits + values.size(), values.begin(), value);
  return values;
}

/// Of a view of kF32, kBF16 or kF16.
std::vector<float> values_of(const TensorView& view) {
  if (view.dtype == DType::kBF16) return widened(view, bfloat16_value);
  if (view.dtype == DType::kF16) return widened(view, float16_value);
  const auto* values = static_cast<const float*>(view.data);
  return {values, values + view.bytes / sizeof *values};
}

}  // namespace

FloatTensors read_weights(const SafetensorsFile& file, const TensorLayout& layout) {
  const auto refuse = [&](const std::string& what) {
    throw std::runtime_error(file.path().string() + ": " + what);
  };
  FloatTensors weights;
  for (const auto& [name, shape] : layout) {
    const std::string where = "tensor \"" + name + "\"";
    const auto it = file.tensors().find(name);
    if (it == file.tensors().end()) refuse("expected a " + where + ", found none");
    const TensorView& view = it->second;
    if (view.shape != shape ||
        (view.dtype != DType::kF32 && view.dtype != DType::kBF16 && view.dtype != DType::kF16)) {
      refuse(where + " has another shape or type than its network config says");
    }
    FloatTensor tensor{shape, values_of(view)};
    const auto any = [&](auto&& is_bad) {
      return std::any_of(tensor.values.begin(), tensor.values.end(), is_bad);
    };
    if (any([](float x) { return !std::isfinite(x); })) refuse(where + " holds NaN or infinity");
    if (any([](float x) { return std::abs(x) > kMaxWeight; }))
      refuse(where + " holds numbers beyond 10^10");
    if (name.ends_with(".running_var") && any([](float x) { return x < 0; }))
      refuse(where + " holds a negative variance");
    weights[name] = std::move(tensor);
  }
  require_unchanged(file);
  return weights;
}

StoredWeights::StoredWeights(FloatTensors weights, bool bf16) : tensors_(std::move(weights)) {
  for (const auto& [name, tensor] : tensors_) {
    // Statistics and biases are small, and matter: only kernels are shortened.
    if (bf16 && tensor.shape.size() > 1) {
      std::vector<std::uint16_t>& bits = shortened_[name];
      bits.resize(tensor.values.size());
      std::transform(tensor.values.begin(), tensor.values.end(), bits.begin(), bfloat16_bits);
      views_[name] = {DType::kBF16, tensor.shape, bits.data(), bits.size() * sizeof bits[0]};
    } else {
      views_[name] = {DType::kF32, tensor.shape, tensor.values.data(),
                      tensor.values.size() * sizeof tensor.values[0]};
    }
  }
}

}  // namespace fer
