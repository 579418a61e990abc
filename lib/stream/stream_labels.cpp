#include "stream/stream_labels.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "stream/latent_codec.h"

namespace fer {
namespace {

/// Rows of equal length, one after the other.
template <typename Value, typename Row>
torch::Tensor stacked(std::size_t rows, const Row& row, torch::ScalarType type) {
  const std::int64_t width = static_cast<std::int64_t>(row(0).size());
  torch::Tensor all = torch::empty({static_cast<std::int64_t>(rows), width}, type);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::vector<Value>& values = row(i);
    std::copy(values.begin(), values.end(),
              all.data_ptr<Value>() + static_cast<std::int64_t>(i) * width);
  }
  return all;
}

}  // namespace

void StreamLabels::add(FaceLatents latents, int label) {
  if (faces_.size() >= kCapacity) {
    auto oldest = std::find_if(faces_.begin(), faces_.end(),
                               [&](const Face& face) { return face.label == label; });
    faces_.erase(oldest == faces_.end() ? faces_.begin() : oldest);
  }
  faces_.push_back({std::move(latents), label});
}

LabelledFeatures StreamLabels::features() const {
  return {
      stacked<float>(
          faces_.size(), [&](std::size_t i) -> const auto& { return faces_[i].latents.features; },
          torch::kFloat),
      labels()};
}

torch::Tensor StreamLabels::labels() const {
  torch::Tensor all = torch::empty({static_cast<std::int64_t>(faces_.size())}, torch::kLong);
  for (std::size_t i = 0; i < faces_.size(); ++i) all.data_ptr<std::int64_t>()[i] = faces_[i].label;
  return all;
}

torch::Tensor StreamLabels::activations(const std::vector<std::int64_t>& shape) const {
  torch::Tensor bytes = stacked<std::uint8_t>(
      faces_.size(), [&](std::size_t i) -> const auto& { return faces_[i].latents.bytes; },
      torch::kU8);
  torch::Tensor scales = torch::empty({bytes.size(0)});
  for (std::size_t i = 0; i < faces_.size(); ++i)
    scales.data_ptr<float>()[i] = faces_[i].latents.scale;
  std::vector<std::int64_t> all{bytes.size(0)};
  all.insert(all.end(), shape.begin(), shape.end());
  return decode_latents(bytes.view(all), scales);
}

void StreamLabels::save(Checkpoint& kept) const {
  if (empty()) return;
  kept.tensors["labels.features"] = features().features;
  kept.tensors["labels.bytes"] = stacked<std::uint8_t>(
      faces_.size(), [&](std::size_t i) -> const auto& { return faces_[i].latents.bytes; },
      torch::kU8);
  torch::Tensor scales = torch::empty({static_cast<std::int64_t>(faces_.size())});
  for (std::size_t i = 0; i < faces_.size(); ++i)
    scales.data_ptr<float>()[i] = faces_[i].latents.scale;
  kept.tensors["labels.scales"] = scales;
  kept.tensors["labels.labels"] = labels();
}

StreamLabels StreamLabels::restored(const Checkpoint& kept, std::int64_t features,
                                    std::int64_t bytes, int classes) {
  StreamLabels set;
  const auto tensor = [&](const char* name, torch::ScalarType type, std::int64_t rows,
                          std::int64_t width) {
    const auto it = kept.tensors.find(name);
    if (it == kept.tensors.end() || it->second.scalar_type() != type ||
        it->second.size(0) != rows || it->second.numel() != rows * width) {
      throw std::runtime_error(std::string("the learner's state has no tensor \"") + name +
                               "\" that fits its labelled faces");
    }
    return it->second.contiguous();
  };
  const auto it = kept.tensors.find("labels.labels");
  if (it == kept.tensors.end()) return set;
  const std::int64_t n = it->second.numel();
  const torch::Tensor label = tensor("labels.labels", torch::kLong, n, 1);
  const torch::Tensor rows = tensor("labels.features", torch::kFloat, n, features);
  const torch::Tensor pixels = tensor("labels.bytes", torch::kU8, n, bytes);
  const torch::Tensor scales = tensor("labels.scales", torch::kFloat, n, 1);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto k = label.data_ptr<std::int64_t>()[i];
    if (k < 0 || k >= classes)
      throw std::runtime_error("the learner's state has a label that is no class of the model");
    const float* row = rows.data_ptr<float>() + i * features;
    const std::uint8_t* byte = pixels.data_ptr<std::uint8_t>() + i * bytes;
    set.add({{row, row + features}, scales.data_ptr<float>()[i], {byte, byte + bytes}},
            static_cast<int>(k));
  }
  return set;
}

}  // namespace fer
