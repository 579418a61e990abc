#include "stream/labelled_faces.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "learn/data/batches.h"
#include "learn/data/face_ref.h"
#include "learn/device/compute_device.h"
#include "learn/run/module_run.h"
#include "model/file_formats.h"
#include "model/stored_weights.h"
#include "network/tensor_view.h"
#include "network/torch_weights.h"
#include "stream/crop_views.h"
#include "stream/latent_codec.h"

namespace fer {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw std::runtime_error(name + ": " + what);
}

class Pictures : public LabelledFaces {
 public:
  Pictures(std::unique_ptr<PackedDataset> data, const std::string& split, const ModelFile& model,
           int split_point, bool split_needed, torch::Device device)
      : data_(std::move(data)),
        views_(model.info, device),
        stats_{model.info.mean, model.info.stddev} {
    split_point_ = split_point;
    std::tie(rows_, labels_) = usable_rows(*data_, split, model.info, split_needed);
  }

  torch::Tensor activations(std::span<const std::size_t> rows, Network& network,
                            const Random* random) const override {
    torch::NoGradGuard no_grad;
    const PackedInfo& info = data_->info();
    std::vector<std::span<const std::uint8_t>> crops;
    for (std::size_t row : rows) crops.push_back(data_->crop(rows_.at(row)));
    const torch::Tensor images =
        random ? views_.weak(crops, *random)
               : plain_images(crops, info.crops.channels, info.crops.side, stats_);
    return network->trunk(
        images.contiguous(torch::MemoryFormat::ChannelsLast).to(network->device()),
        static_cast<std::size_t>(split_point_));
  }

 private:
  const std::unique_ptr<PackedDataset> data_;
  const CropViews views_;
  const PixelStats stats_;
  std::vector<std::size_t> rows_;
};

/// Activations as bytes: none is negative, so that each row needs but one scale.
class Latents : public LabelledFaces {
 public:
  Latents(const std::filesystem::path& path, const ModelFile& model, int setting,
          torch::Device device)
      : file_(path, FileAccess::kRead) {
    const std::string name = path.string();
    file_.meta(kChecksumKey);  // which they have had from the first version on
    require_unchanged(file_);
    const auto names = json::parse(file_.meta("labels"), nullptr, false);
    const auto split_point = json::parse(file_.meta("blocks_below"), nullptr, false);
    if (!names.is_array() || !split_point.is_number_integer())
      refuse(name, "its metadata is broken");
    split_point_ = blocks_below(model.info.network, split_point.get<int>());
    if (setting >= 0 && setting != split_point_) {
      refuse(name, "expected activations above " + std::to_string(setting) +
                       " blocks, found some above " + std::to_string(split_point_));
    }
    const std::string trunk = trunk_version(model, split_point_);
    if (file_.meta("trunk") != trunk) {
      refuse(name, "its activations are of another network (lower half " + file_.meta("trunk") +
                       ", expected " + trunk + "); make them anew by: fer replay");
    }
    const TensorView& rows = file_.at("activations", DType::kU8, 4);
    const TensorView& scales = file_.at("scales", DType::kF32, 1);
    const TensorView& labels = file_.at("labels", DType::kI64, 1);
    Network network(model.info.network);
    network->eval();
    torch::NoGradGuard no_grad;
    const NetworkConfig& n = model.info.network;
    const auto expected = network
                              ->trunk(torch::zeros({1, n.channels, n.input_size, n.input_size}),
                                      static_cast<std::size_t>(split_point_))
                              .sizes()
                              .vec();
    const std::int64_t count = rows.shape[0];
    if (!std::equal(expected.begin() + 1, expected.end(), rows.shape.begin() + 1) ||
        scales.shape[0] != count || labels.shape[0] != count || count == 0)
      refuse(name, "its tensors do not fit one another or the network");
    bytes_ = tensor_of(rows).to(device);
    scales_ = tensor_of(scales).to(device);
    const std::vector<int> place =
        label_mapping(names.get<std::vector<std::string>>(), model.info.labels);
    const auto* values = static_cast<const std::int64_t*>(labels.data);
    for (std::int64_t i = 0; i < count; ++i) {
      if (values[i] < 0 || values[i] >= static_cast<std::int64_t>(place.size()))
        refuse(name, "a label is out of range");
      const int label = place[static_cast<std::size_t>(values[i])];
      if (label < 0) continue;
      labels_.push_back(label);
      rows_.push_back(i);
    }
    if (labels_.empty()) refuse(name, "no row has a label that the model knows");
  }

  torch::Tensor activations(std::span<const std::size_t> rows, Network& network,
                            const Random*) const override {
    torch::NoGradGuard no_grad;
    std::vector<std::int64_t> wanted;
    for (std::size_t row : rows) wanted.push_back(rows_.at(row));
    const torch::Tensor index = numbers_on(bytes_.device(), wanted);
    return decode_latents(bytes_.index_select(0, index), scales_.index_select(0, index))
        .to(network->device(), torch::kFloat, /*non_blocking=*/false, /*copy=*/false,
            torch::MemoryFormat::ChannelsLast);
  }

 private:
  const SafetensorsFile file_;
  torch::Tensor bytes_, scales_;  ///< On the device; in the processor's memory, the file's own.
  std::vector<std::int64_t> rows_;
};

}  // namespace

std::pair<std::vector<std::size_t>, std::vector<int>> usable_rows(const PackedDataset& data,
                                                                  const std::string& split,
                                                                  const ModelInfo& model,
                                                                  bool split_needed) {
  const PackedInfo& info = data.info();
  if (info.crops != model.crops()) {
    refuse(data.name(),
           "it holds " + info.crops.text() + ", but the model takes " + model.crops().text());
  }
  const std::vector<int> place = label_mapping(info.labels, model.labels);
  std::pair<std::vector<std::size_t>, std::vector<int>> result;
  const bool all = !split_needed && !has_split(data, split);
  for (std::size_t row : data.rows(all ? std::string() : split)) {
    const int label = data.label(row);
    if (label < 0 || data.duplicate(row) || place[static_cast<std::size_t>(label)] < 0) continue;
    result.first.push_back(row);
    result.second.push_back(place[static_cast<std::size_t>(label)]);
  }
  if (result.first.empty()) refuse(data.name(), "no row has a label that the model knows");
  return result;
}

std::vector<std::size_t> balanced_rows(const std::vector<int>& labels, int per_class,
                                       std::uint64_t seed) {
  std::vector<std::size_t> rows(labels.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (per_class <= 0) return rows;
  Random random(seed, 0x6c6174656e74);
  std::shuffle(rows.begin(), rows.end(), random);
  std::vector<int> taken(1 +
                         static_cast<std::size_t>(*std::max_element(labels.begin(), labels.end())));
  std::erase_if(rows, [&](std::size_t row) {
    return ++taken[static_cast<std::size_t>(labels[row])] > per_class;
  });
  std::sort(rows.begin(), rows.end());
  return rows;
}

int blocks_below(const NetworkConfig& network, int setting) {
  const int all = std::accumulate(network.depths.begin(), network.depths.end(), 0);
  if (setting > all) {
    throw std::runtime_error("frozen-blocks is " + std::to_string(setting) +
                             ", but the network has " + std::to_string(all) + " blocks");
  }
  return setting < 0 ? all - network.depths.back() : setting;
}

std::string trunk_version(const ModelFile& model, int blocks_below) {
  const Network network(model.info.network);
  std::map<std::string, torch::Tensor> lower;
  for (const auto& [name, tensor] : model.weights)
    if (network->is_in_trunk(name, static_cast<std::size_t>(blocks_below))) lower[name] = tensor;
  return StoredWeights(to_plain(lower), /*bf16=*/false).version();
}

std::unique_ptr<LabelledFaces> LabelledFaces::open(const std::filesystem::path& path,
                                                   const std::string& split, const ModelFile& model,
                                                   int setting, bool split_needed,
                                                   torch::Device device) {
  bool latents = false;
  {
    const SafetensorsFile file(path);
    latents = has_format(file, kLatentsFormat);
  }
  if (latents && split_needed)
    refuse(path.string(),
           "expected a packed dataset with a split \"" + split + "\", found latents");
  if (latents) return std::make_unique<Latents>(path, model, setting, device);
  return std::make_unique<Pictures>(std::make_unique<PackedDataset>(path), split, model,
                                    blocks_below(model.info.network, setting), split_needed,
                                    device);
}

}  // namespace fer
