#include "learn/semi/view_cache.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "learn/data/face_views.h"
#include "learn/device/autocast.h"
#include "learn/run/module_run.h"
#include "model/network.h"
#include "model/safetensors.h"
#include "model/tensor_view.h"
#include "util/random.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr char kIdentityKey[] = "views";
/// Sets the views of a file apart from those of any run.
constexpr std::uint64_t kSeed = 0x7669657773u;
/// Views that go through the network at once.
constexpr std::size_t kChunk = 256;

/// Every face that is learnt from, with labels or without, dataset by dataset and row by row.
std::vector<FaceRef> faces_of(const SemiData& data) {
  std::vector<const PackedDataset*> datasets;
  std::vector<FaceRef> faces;
  for (const auto* list : {&data.labelled, &data.unlabelled}) {
    for (const FaceRef& face : *list) {
      if (std::find(datasets.begin(), datasets.end(), face.data) == datasets.end())
        datasets.push_back(face.data);
      faces.push_back({face.data, face.row, -1});
    }
  }
  const auto place = [&](const FaceRef& face) {
    return std::pair(std::find(datasets.begin(), datasets.end(), face.data), face.row);
  };
  std::sort(faces.begin(), faces.end(),
            [&](const FaceRef& a, const FaceRef& b) { return place(a) < place(b); });
  return faces;
}

/// What a file's views are of.
json identity_of(const std::vector<FaceRef>& faces, const SemiData& data,
                 const SemiConfig& config) {
  const json all = config;
  json identity;
  for (const char* key : {"init", "frozen_blocks", "views", "weak", "strong", "bf16"})
    identity[key] = all.at(key);
  identity["source"] = data.info.source;
  identity["faces"] = fingerprint(faces.size(), faces);
  return identity;
}

class CachedViews : public FaceViews {
 public:
  CachedViews(const std::filesystem::path& path, const SemiData& data, const SemiConfig& config)
      : file_(path), views_(static_cast<std::uint64_t>(config.views)), bf16_(config.bf16) {
    const std::vector<FaceRef> faces = faces_of(data);
    const json expected = identity_of(faces, data, config);
    const json found = json::parse(file_.meta(kIdentityKey), nullptr, /*allow_exceptions=*/false);
    if (found != expected) {
      throw std::runtime_error(path.string() +
                               ": it holds views of another start, other faces or settings; "
                               "remove it, or name another file. Differences: " +
                               json::diff(found, expected).dump());
    }
    for (const char* name : {"weak", "strong"}) {
      const TensorView& view = file_.at(name, DType::kBF16, 4);
      const auto rows = static_cast<std::int64_t>(faces.size() * views_);
      if (view.shape[0] != rows) {
        throw std::runtime_error(path.string() + ": expected " + std::to_string(rows) + " " + name +
                                 " views, found " + std::to_string(view.shape[0]));
      }
    }
    weak_ = tensor_of(file_.tensors().at("weak"));
    strong_ = tensor_of(file_.tensors().at("strong"));
    if (weak_.sizes() != strong_.sizes())
      throw std::runtime_error(path.string() + ": its weak and its strong views differ in shape");
    for (std::size_t i = 0; i < faces.size(); ++i) {
      std::vector<std::int64_t>& places = places_[faces[i].data];
      places.resize(faces[i].row + 1, -1);
      places[faces[i].row] = static_cast<std::int64_t>(i);
    }
  }

  torch::Tensor of(ViewKind kind, const std::vector<FaceRef>& faces,
                   const ViewSeed& draw) const override {
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      Random random(draw.seed, draw.stream, draw.position + i);
      const auto view = static_cast<std::int64_t>(random.below(views_));
      rows.push_back(
          places_.at(faces[i].data).at(faces[i].row) * static_cast<std::int64_t>(views_) + view);
    }
    const torch::Tensor& kept = kind == ViewKind::kStrong ? strong_ : weak_;
    const torch::Tensor drawn = kept.index_select(0, torch::tensor(rows)).permute({0, 3, 1, 2});
    return bf16_ ? drawn : drawn.to(torch::kFloat);
  }

 private:
  const SafetensorsFile file_;
  const std::uint64_t views_;
  const bool bf16_;
  torch::Tensor weak_, strong_;  ///< faces · views x S x S x C, in the file.
  /// Of a dataset's rows, among the faces.
  std::map<const PackedDataset*, std::vector<std::int64_t>> places_;
};

}  // namespace

bool write_views(const std::filesystem::path& file, const SemiData& data, const SemiConfig& config,
                 const std::function<bool(std::size_t done, std::size_t all)>& on_progress) {
  require_frozen_blocks(config);
  torch::NoGradGuard no_grad;
  Bf16Scope bf16(config.bf16);
  Network network(config.network);
  config.init.copy_to(*network, data.info.labels);
  network->eval();
  to_channels_last(*network);
  const FreshViews fresh({config.init.stats(), config.weak, config.strong});
  const std::vector<FaceRef> faces = faces_of(data);
  const auto views = static_cast<std::size_t>(config.views);
  const std::size_t rows = faces.size() * views;
  std::map<std::string, torch::Tensor> tensors;
  std::size_t done = 0;
  for (const auto& [name, kind] :
       {std::pair{"weak", ViewKind::kWeak}, {"strong", ViewKind::kStrong}}) {
    torch::Tensor& kept = tensors[name];
    for (std::size_t first = 0; first < rows; first += kChunk) {
      if (!on_progress(done, 2 * rows)) return false;
      std::vector<FaceRef> shown;
      for (std::size_t row = first; row < std::min(first + kChunk, rows); ++row)
        shown.push_back(faces[row / views]);
      const torch::Tensor images =
          fresh.of(kind, shown, {kSeed, static_cast<std::uint64_t>(kind), first});
      const torch::Tensor activations =
          network
              ->trunk(images.contiguous(torch::MemoryFormat::ChannelsLast),
                      static_cast<std::size_t>(config.frozen_blocks))
              .permute({0, 2, 3, 1});
      if (!kept.defined()) {
        std::vector<std::int64_t> shape = activations.sizes().vec();
        shape[0] = static_cast<std::int64_t>(rows);
        kept = torch::empty(shape, torch::kBFloat16);
      }
      kept.narrow(0, static_cast<std::int64_t>(first), activations.size(0)).copy_(activations);
      done += shown.size();
    }
  }
  std::map<std::string, TensorView> stored;
  for (const auto& [name, tensor] : tensors) stored[name] = view_of(tensor);
  write_safetensors(file, stored, {{kIdentityKey, identity_of(faces, data, config).dump()}});
  return true;
}

std::shared_ptr<const FaceViews> read_views(const std::filesystem::path& file, const SemiData& data,
                                            const SemiConfig& config) {
  return std::make_shared<CachedViews>(file, data, config);
}

}  // namespace fer
