#include "learn/features/feature_file.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "learn/data/batches.h"
#include "learn/device/autocast.h"
#include "learn/features/feature_maps.h"
#include "learn/features/feature_views.h"
#include "learn/features/fit_face_gate.h"
#include "learn/run/module_run.h"
#include "network/model_file.h"
#include "network/network.h"
#include "network/tensor_view.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr char kKey[] = "features";
/// Sets the tiles' orders apart from other uses of a seed.
constexpr std::uint64_t kTileOrder = 0x74696c6573u;
constexpr auto kKinds = static_cast<std::int64_t>(std::size(kNonFaces));

json to_json(const FeatureInfo& info) {
  return {{"network", info.network},   {"config", info.config}, {"blocks", info.blocks},
          {"channels", info.channels}, {"side", info.side},     {"grid", info.grid}};
}

FeatureInfo info_of(const json& json) {
  FeatureInfo info;
  json.at("network").get_to(info.network);
  json.at("config").get_to(info.config);
  json.at("blocks").get_to(info.blocks);
  json.at("channels").get_to(info.channels);
  json.at("side").get_to(info.side);
  json.at("grid").get_to(info.grid);
  return info;
}

/// A model's lower half, in evaluation.
class FrozenHalf {
 public:
  FrozenHalf(const std::filesystem::path& file, int blocks)
      : model_(read_start(file)), blocks_(static_cast<std::size_t>(blocks)) {
    NetworkConfig config = model_.info.network;
    network_ = Network(config);
    if (blocks < 0 || blocks_ > network_->blocks.size()) {
      throw std::runtime_error(file.string() + ": expected at least " + std::to_string(blocks) +
                               " residual blocks, found " +
                               std::to_string(network_->blocks.size()));
    }
    // The head, which a start for training lacks, is not looked at.
    auto weights = model_.weights;
    for (const auto& [name, tensor] : state_of(*network_))
      if (!network_->is_in_trunk(name, blocks_)) weights[name] = tensor;
    copy_state(weights, *network_, file.string());
    network_->eval();
    to_channels_last(*network_);
  }

  const ModelInfo& info() const { return model_.info; }

  /// N x channels x side x side pixels in [0, 1], normalised → N x S x S x C.
  torch::Tensor operator()(torch::Tensor images) {
    const NetworkConfig& config = model_.info.network;
    if (images.size(2) != config.input_size) {
      namespace f = torch::nn::functional;
      images = f::interpolate(
          images, f::InterpolateFuncOptions()
                      .size(std::vector<std::int64_t>{config.input_size, config.input_size})
                      .mode(torch::kBilinear)
                      .align_corners(false));
    }
    if (images.size(1) != config.channels)
      images = images.mean(1, /*keepdim=*/true).expand({-1, config.channels, -1, -1});
    return network_->trunk(images.contiguous(torch::MemoryFormat::ChannelsLast), blocks_)
        .permute({0, 2, 3, 1});
  }

 private:
  ModelFile model_;
  const std::size_t blocks_;
  Network network_{nullptr};
};

}  // namespace

bool write_features(const std::filesystem::path& path, const PackedDataset& data,
                    const std::filesystem::path& model, const FeatureConfig& config,
                    const std::function<bool(std::size_t done, std::size_t all)>& on_progress) {
  prepare_process(config.threads);
  torch::NoGradGuard no_grad;
  FrozenHalf frozen(model, config.blocks);
  Bf16Scope bf16(true);
  const PixelStats stats{frozen.info().mean, frozen.info().stddev};
  const PackedInfo& packed = data.info();
  const auto n = static_cast<std::int64_t>(data.size());
  torch::Tensor maps, non_faces;
  std::vector<std::size_t> to_copy;
  for (std::size_t row = 0; row < data.size(); ++row)
    if (config.grid > 0 && data.split(row) == "train" && data.label(row) >= 0 &&
        !data.duplicate(row))
      to_copy.push_back(row);
  const std::size_t all = data.size() + to_copy.size();
  const auto chunk = static_cast<std::size_t>(config.chunk);
  for (std::size_t first = 0; first < data.size(); first += chunk) {
    if (!on_progress(first, all)) return false;
    std::vector<std::size_t> rows;
    for (std::size_t row = first; row < std::min(first + chunk, data.size()); ++row)
      rows.push_back(row);
    const torch::Tensor images = plain_images(data, rows, stats);
    const torch::Tensor both = torch::stack({frozen(images), frozen(images.flip(3))}, 1);
    if (!maps.defined()) {
      std::vector<std::int64_t> shape = both.sizes().vec();
      shape[0] = n;
      maps = torch::empty(shape, torch::kBFloat16);
    }
    maps.narrow(0, static_cast<std::int64_t>(first), both.size(0)).copy_(both);
  }
  FeatureInfo info{frozen.info().version,
                   frozen.info().network,
                   config.blocks,
                   static_cast<int>(maps.size(4)),
                   static_cast<int>(maps.size(2)),
                   to_copy.empty() ? 0 : config.grid};
  if (info.grid > 0)
    non_faces = torch::zeros({n, kKinds, maps.size(4) * info.grid * info.grid}, torch::kBFloat16);
  for (std::size_t first = 0; first < to_copy.size(); first += chunk) {
    if (!on_progress(data.size() + first, all)) return false;
    const auto count = std::min(chunk, to_copy.size() - first);
    for (std::int64_t kind = 0; kind < kKinds; ++kind) {
      std::vector<std::vector<std::uint8_t>> crops;
      for (std::size_t i = first; i < first + count; ++i) {
        crops.push_back(non_face(data.crop(to_copy[i]), packed.crops.channels, packed.crops.side,
                                 kNonFaces[kind], Random(kTileOrder, to_copy[i])));
      }
      const torch::Tensor images = plain_images({crops.begin(), crops.end()}, packed.crops.channels,
                                                packed.crops.side, stats);
      const torch::Tensor pooled = pooled_maps(frozen(images).permute({0, 3, 1, 2}), info.grid);
      for (std::size_t i = 0; i < count; ++i)
        non_faces[static_cast<std::int64_t>(to_copy[first + i])][kind].copy_(
            pooled[static_cast<std::int64_t>(i)]);
    }
  }
  std::vector<PackedRow> rows;
  for (std::size_t row = 0; row < data.size(); ++row) rows.push_back(data.row(row));
  PackedExtras extras{{{"maps", view_of(maps)}}, {{kKey, to_json(info).dump()}}};
  if (non_faces.defined()) extras.tensors["non_faces"] = view_of(non_faces);
  write_packed(path, packed, rows, extras);
  return true;
}

bool has_features(const PackedDataset& data) {
  return data.file().metadata().contains(kKey);
}

FeatureInfo feature_info(const PackedDataset& data) {
  if (!has_features(data)) {
    throw std::runtime_error(data.name() +
                             ": expected a packed dataset with a network's features; make one "
                             "with: fer pack --features");
  }
  FeatureInfo info;
  try {
    info = info_of(json::parse(data.file().meta(kKey)));
  } catch (const std::exception& error) {
    throw std::runtime_error(data.name() +
                             ": what it says of its features is broken: " + error.what());
  }
  if (info.side < 1 || info.channels < 1 || info.blocks < 0 || info.grid < 0 ||
      info.grid > info.side)
    throw std::runtime_error(data.name() + ": what it says of its features is out of range");
  return info;
}

void require_features_of(const PackedDataset& data, const std::string& version,
                         const std::string& file) {
  const FeatureInfo info = feature_info(data);
  if (info.network == version) return;
  throw std::runtime_error(file + ": expected the model that the features of " + data.name() +
                           " are of, version " + info.network + ", found version " + version);
}

std::shared_ptr<const FeatureViews> feature_views(const std::vector<const PackedDataset*>& datasets,
                                                  double drop) {
  return std::make_shared<FeatureViews>(datasets, drop);
}

std::vector<float> feature_logits(const std::filesystem::path& path, const PackedDataset& data,
                                  const std::vector<std::size_t>& rows) {
  torch::NoGradGuard no_grad;
  const ModelFile model = read_model(path);
  const FeatureMaps features(data);
  if (model.info.labels != data.info().labels)
    throw std::runtime_error(path.string() + ": expected a model of the labels of " + data.name());
  if (model.info.parent != features.info().network) {
    throw std::runtime_error(path.string() + ": expected a model trained above the features of " +
                             data.name() + ", whose model is " + features.info().network +
                             ", found one that began as \"" + model.info.parent + "\"");
  }
  Network network(model.info.network);
  copy_state(model.weights, *network, path.string());
  network->eval();
  to_channels_last(*network);
  constexpr std::size_t kChunk = 512;
  std::vector<float> logits;
  for (std::size_t first = 0; first < rows.size(); first += kChunk) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<std::size_t> some(
        begin, begin + static_cast<std::ptrdiff_t>(std::min(kChunk, rows.size() - first)));
    const torch::Tensor maps =
        features.plain(some).to(torch::kFloat).contiguous(torch::MemoryFormat::ChannelsLast);
    const torch::Tensor out =
        network->head_blocks(maps, static_cast<std::size_t>(features.info().blocks)).contiguous();
    logits.insert(logits.end(), out.data_ptr<float>(), out.data_ptr<float>() + out.numel());
  }
  return logits;
}

}  // namespace fer
