#include "stream/write_latents.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "learn/data/batches.h"
#include "learn/run/model_network.h"
#include "model/checksum.h"
#include "model/file_formats.h"
#include "network/tensor_view.h"
#include "stream/labelled_faces.h"
#include "stream/latent_codec.h"

namespace fer {

struct LatentSet::Content {
  torch::Tensor bytes, scales, labels;
  std::map<std::string, std::string> metadata;  ///< Less the checksum.
};

LatentSet::LatentSet(const ModelFile& model, int setting, const PackedDataset& data,
                     const std::string& split, int per_class, std::uint64_t seed,
                     const std::vector<std::size_t>& but_not,
                     const std::function<void(std::size_t, std::size_t)>& on_progress) {
  const int split_point = blocks_below(model.info.network, setting);
  auto [rows, labels] = usable_rows(data, split, model.info, /*split_needed=*/true);
  std::vector<int> left;
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::find(but_not.begin(), but_not.end(), rows[i]) != but_not.end()) continue;
    candidates.push_back(rows[i]);
    left.push_back(labels[i]);
  }
  if (candidates.empty())
    throw std::runtime_error(data.name() + ": no row is left that is not in the other set");
  std::vector<std::int64_t> taken_labels;
  for (std::size_t i : balanced_rows(left, per_class, seed)) {
    rows_.push_back(candidates[i]);
    taken_labels.push_back(left[i]);
  }

  torch::NoGradGuard no_grad;
  Network network = network_of(model, "the model");
  const PixelStats stats{model.info.mean, model.info.stddev};
  std::vector<torch::Tensor> bytes, scales;
  constexpr std::size_t kChunk = 64;
  for (std::size_t i = 0; i < rows_.size(); i += kChunk) {
    if (on_progress) on_progress(i, rows_.size());
    const auto part = std::span(rows_).subspan(i, std::min(kChunk, rows_.size() - i));
    const torch::Tensor rows_of_part =
        network->trunk(plain_images(data, part, stats), static_cast<std::size_t>(split_point));
    const auto [row_bytes, row_scales] = encode_latents(rows_of_part);
    bytes.push_back(row_bytes);
    scales.push_back(row_scales);
  }
  content_ =
      std::make_unique<Content>(Content{torch::cat(bytes).contiguous(),
                                        torch::cat(scales).contiguous(),
                                        torch::tensor(taken_labels, torch::kLong),
                                        {{"format", kLatentsFormat},
                                         {"labels", nlohmann::json(model.info.labels).dump()},
                                         {"blocks_below", std::to_string(split_point)},
                                         {"trunk", trunk_version(model, split_point)},
                                         {"model", model.info.version},
                                         {"source", data.info().source},
                                         {"split", split}}});
}

LatentSet::~LatentSet() = default;

void LatentSet::write(const std::filesystem::path& path) const {
  const std::map<std::string, TensorView> views{{"activations", view_of(content_->bytes)},
                                                {"scales", view_of(content_->scales)},
                                                {"labels", view_of(content_->labels)}};
  write_safetensors(path, views, with_checksum(content_->metadata, views));
}

std::vector<std::size_t> write_latents(const std::filesystem::path& path, const ModelFile& model,
                                       int blocks_below, const PackedDataset& data,
                                       const std::string& split, int per_class, std::uint64_t seed,
                                       const std::vector<std::size_t>& but_not) {
  const LatentSet latents(model, blocks_below, data, split, per_class, seed, but_not);
  latents.write(path);
  return latents.rows();
}

}  // namespace fer
