#include "model/stored_weights.h"

#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include "model/tensor_view.h"
#include "model/torch_threads.h"

namespace fer {
namespace {

/// No network that was trained has numbers near it, and sums over products of those do not
/// overflow.
constexpr double kMaxWeight = 1e10;

/// 64-bit FNV-1a.
class Fnv1a {
 public:
  void add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < size; ++i) hash_ = (hash_ ^ bytes[i]) * 0x100000001b3u;
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      const auto byte = static_cast<unsigned char>(number >> shift);
      add(&byte, 1);
    }
  }
  /// With its length, so that two texts in a row cannot be cut in another place.
  void add_text(const std::string& text) {
    add(text.size());
    add(text.data(), text.size());
  }
  std::string digits() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash_));
    return text;
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// Of all metadata but the checksum, and of the tensors.
std::string whole_hash(const std::map<std::string, std::string>& metadata,
                       const std::map<std::string, TensorView>& tensors) {
  Fnv1a hash;
  for (const auto& [key, value] : metadata) {
    if (key == kChecksumKey) continue;
    hash.add_text(key);
    hash.add_text(value);
  }
  for (const auto& [name, view] : tensors) {
    hash.add_text(name);
    hash.add(static_cast<std::uint64_t>(view.dtype));
    hash.add(view.shape.size());
    for (const std::int64_t extent : view.shape) hash.add(static_cast<std::uint64_t>(extent));
    hash.add(view.data, view.bytes);
  }
  return hash.digits();
}

}  // namespace

std::string content_hash(const std::map<std::string, TensorView>& tensors) {
  Fnv1a hash;
  for (const auto& [name, view] : tensors) {
    hash.add(name.data(), name.size());
    hash.add(view.data, view.bytes);
  }
  return hash.digits();
}

std::string content_hash(const std::string& text,
                         const std::map<std::string, TensorView>& tensors) {
  return whole_hash({{"text", text}}, tensors);
}

std::map<std::string, std::string> with_checksum(std::map<std::string, std::string> metadata,
                                                 const std::map<std::string, TensorView>& tensors) {
  metadata[kChecksumKey] = whole_hash(metadata, tensors);
  return metadata;
}

void require_unchanged(const SafetensorsFile& file) {
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format"), checksum = metadata.find(kChecksumKey);
  const bool first = format == metadata.end() || format->second.ends_with("/1");
  if (checksum == metadata.end()) {
    if (first) return;  // files that other programs wrote need not have one
    throw std::runtime_error(file.path().string() + ": expected metadata \"" + kChecksumKey +
                             "\", found none");
  }
  const std::string found =
      first ? content_hash(file.tensors()) : whole_hash(metadata, file.tensors());
  if (checksum->second == found) return;
  throw std::runtime_error(file.path().string() +
                           ": its content is not what was written: the checksum differs");
}

std::map<std::string, torch::Tensor> read_weights(
    const SafetensorsFile& file, const std::map<std::string, std::vector<std::int64_t>>& layout) {
  const OneTorchThread one_thread;  // a model may be opened while streams run
  const auto refuse = [&](const std::string& what) {
    throw std::runtime_error(file.path().string() + ": " + what);
  };
  std::map<std::string, torch::Tensor> weights;
  for (const auto& [name, shape] : layout) {
    const std::string where = "tensor \"" + name + "\"";
    const auto it = file.tensors().find(name);
    if (it == file.tensors().end()) refuse("expected a " + where + ", found none");
    const TensorView& view = it->second;
    if (view.shape != shape ||
        (view.dtype != DType::kF32 && view.dtype != DType::kBF16 && view.dtype != DType::kF16)) {
      refuse(where + " has another shape or type than its network config says");
    }
    const torch::Tensor tensor = tensor_of(view).to(torch::kFloat32, false, /*copy=*/true);
    if (!tensor.isfinite().all().item<bool>()) refuse(where + " holds NaN or infinity");
    if (tensor.abs().gt(kMaxWeight).any().item<bool>())
      refuse(where + " holds numbers beyond 10^10");
    if (name.ends_with(".running_var") && tensor.lt(0).any().item<bool>()) {
      refuse(where + " holds a negative variance");
    }
    weights[name] = tensor;
  }
  require_unchanged(file);
  return weights;
}

StoredWeights::StoredWeights(const std::map<std::string, torch::Tensor>& weights, bool bf16) {
  for (const auto& [name, tensor] : weights) {
    if (!tensor.is_floating_point()) continue;  // batch norm's step counters serve nobody
    // Statistics and biases are small, and matter: only kernels are shortened.
    const bool shorten = bf16 && tensor.dim() > 1;
    tensors_[name] =
        tensor.detach().to(torch::kCPU, shorten ? torch::kBFloat16 : torch::kFloat32).contiguous();
    views_[name] = view_of(tensors_[name]);
  }
}

}  // namespace fer
