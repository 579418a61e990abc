#include "cuda/device_cells.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "cuda/must.h"

namespace fer::kernels {
namespace {

RunLayer::Kind kind_of(const CellLayer& layer) {
  switch (layer.kind) {
    case CellLayer::kEnlarge:
      return RunLayer::kEnlarge;
    case CellLayer::kAdd:
      return RunLayer::kAdd;
    default:
      return RunLayer::kConv;
  }
}

/// What the layer makes of maps, without memory.
FeatureMaps shape_after(const CellLayer& layer, const FeatureMaps& from) {
  switch (layer.kind) {
    case CellLayer::kConv:
      return {nullptr, layer.out, layer.side_after(from.height), layer.side_after(from.width)};
    case CellLayer::kEnlarge:
      return {nullptr, from.channels, 2 * from.height, 2 * from.width};
    default:
      return {nullptr, from.channels, from.height, from.width};
  }
}

}  // namespace

DeviceCells::DeviceCells(const KernelTable& kernels, std::shared_ptr<const CellLayers> layers,
                         Stream stream)
    : kernels_(kernels),
      layers_(std::move(layers)),
      weights_(kernels),
      values_(kernels),
      answer_(kernels) {
  std::vector<float> all;
  for (const CellLayer& layer : layers_->layers) {
    if (!layer.whole()) throw std::invalid_argument("face detector: weights of another shape");
    weight_at_.push_back(all.size());
    all.insert(all.end(), layer.weight.begin(), layer.weight.end());
    all.insert(all.end(), layer.bias.begin(), layer.bias.end());
  }
  const std::size_t bytes = all.size() * sizeof(float);
  must(kernels_.upload(weights_.need(bytes), all.data(), bytes, stream));
}

float* DeviceCells::input(int height, int width) {
  if (maps_.empty() || maps_[0].height != height || maps_[0].width != width) {
    std::vector<FeatureMaps> all{{nullptr, 1, height, width}};
    for (const CellLayer& layer : layers_->layers)
      all.push_back(shape_after(layer, all.at(static_cast<std::size_t>(layer.input))));
    std::size_t count = 0;
    for (const FeatureMaps& maps : all) count += value_count(maps);
    maps_.clear();  // Where memory runs out, there are none.
    auto* data = static_cast<float*>(values_.need(count * sizeof(float)));
    for (FeatureMaps& maps : all) data = (maps.data = data) + value_count(maps);
    maps_ = std::move(all);
  }
  return maps_[0].data;
}

void DeviceCells::run(float least_score, Stream stream, std::vector<CellFace>& faces) {
  const auto* weights = static_cast<const float*>(weights_.need(0));
  for (std::size_t i = 0; i < layers_->layers.size(); ++i) {
    const CellLayer& layer = layers_->layers[i];
    RunLayer step;
    step.kind = kind_of(layer);
    step.from = maps_.at(static_cast<std::size_t>(layer.input));
    if (layer.other >= 0) step.other = maps_.at(static_cast<std::size_t>(layer.other));
    step.to = maps_[i + 1];
    step.relu = layer.relu;
    step.weight = weights + weight_at_[i];
    step.bias = step.weight + layer.weight.size();
    step.seen = layer.in;
    step.kernel = layer.kernel;
    step.stride = layer.stride;
    step.pad = layer.pad;
    check(step);
    must(kernels_.run_layer(step, stream));
  }
  DecodeDetections decode;
  decode.count = 1;
  for (std::size_t level = 0; level < decode.maps.size(); ++level) {
    const FeatureMaps& map = maps_.at(static_cast<std::size_t>(layers_->outputs.at(level)));
    const int stride = kCellStrides[level];
    if (map.channels != kCellValues || map.height * stride != maps_[0].height ||
        map.width * stride != maps_[0].width)
      throw std::invalid_argument("face detector: a map of another shape");
    decode.maps[level] = map.data;
  }
  decode.rows = maps_[0].height / kFirstStride;
  decode.columns = maps_[0].width / kFirstStride;
  decode.least_score = least_score;
  decode.most_faces = kMostFaces;
  auto* there = static_cast<Answer*>(answer_.need(sizeof(Answer)));
  decode.faces = there->face;
  decode.face_counts = &there->faces;
  decode.guess_counts = &there->guesses;
  check(decode);
  must(kernels_.decode_detections(decode, stream));
  const auto answer = std::make_unique<Answer>();
  must(kernels_.download(answer.get(), there, sizeof(Answer), stream));
  faces.insert(faces.end(), answer->face, answer->face + std::clamp(answer->faces, 0, kMostFaces));
}

}  // namespace fer::kernels
