#include "kernels/device_grid_detector.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/cuda_error.h"

namespace fer::kernels {
DeviceGridDetector::DeviceGridDetector(const KernelTable& kernels,
                                       std::shared_ptr<const GridLayers> layers, Stream stream)
    : kernels_(kernels),
      layers_(std::move(layers)),
      weights_(kernels),
      values_(kernels),
      answer_(kernels) {
  std::vector<float> all;
  for (const GridLayer& layer : layers_->layers) {
    if (!layer.whole()) throw std::invalid_argument("face detector: weights of another shape");
    weight_at_.push_back(all.size());
    all.insert(all.end(), layer.weight.begin(), layer.weight.end());
    all.insert(all.end(), layer.bias.begin(), layer.bias.end());
  }
  const std::size_t bytes = all.size() * sizeof(float);
  throw_on_cuda_error(kernels_.upload(weights_.need(bytes), all.data(), bytes, stream));
}

float* DeviceGridDetector::input(int height, int width) {
  if (!input_.data || input_.height != height || input_.width != width) plan(height, width);
  return input_.data;
}

void DeviceGridDetector::plan(int height, int width) {
  input_ = {};  // Where memory runs out, there is none.
  const auto* weights = static_cast<const float*>(weights_.need(0));
  std::vector<FeatureMaps> maps{{nullptr, 1, height, width}};  // Of each value.
  const auto value = [&](int index) -> FeatureMaps& {
    return maps.at(static_cast<std::size_t>(index));
  };
  std::vector<RunLayer> steps;
  for (const GridLayer& layer : layers_->layers) {
    RunLayer step;
    step.kind = layer.kind;
    step.from = value(layer.input);
    step.relu = layer.relu;
    step.weight = weights + weight_at_[steps.size()];
    step.bias = step.weight + layer.weight.size();
    step.seen = layer.in;
    step.kernel = layer.kernel;
    step.stride = layer.stride;
    step.pad = layer.pad;
    step.to.channels = layer.out;
    maps.push_back(step.to = made_by(step));
    if (layer.kind == GridLayer::kConv && step.to.channels != layer.out) {
      throw std::invalid_argument("face detector: expected " + std::to_string(step.to.channels) +
                                  " filters, one a channel, found " + std::to_string(layer.out));
    }
    steps.push_back(step);
  }
  std::size_t count = 0;
  for (const FeatureMaps& one : maps) count += value_count(one);
  auto* data = static_cast<float*>(values_.need(count * sizeof(float)));
  for (FeatureMaps& one : maps) data = (one.data = data) + value_count(one);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const GridLayer& layer = layers_->layers[i];
    steps[i].from = value(layer.input);
    if (layer.other >= 0) steps[i].other = value(layer.other);
    steps[i].to = maps[i + 1];
    check(steps[i]);
  }
  steps_ = std::move(steps);

  decode_ = {};
  decode_.count = 1;
  for (std::size_t level = 0; level < decode_.maps.size(); ++level) {
    const FeatureMaps& map = value(layers_->outputs.at(level));
    const int stride = kCellStrides[level];
    if (map.channels != kCellValues || map.height * stride != height || map.width * stride != width)
      throw std::invalid_argument("face detector: a map of another shape");
    decode_.maps[level] = map.data;
  }
  decode_.rows = height / kFirstStride;
  decode_.columns = width / kFirstStride;
  decode_.max_faces = kMaxFaces;
  auto* there = static_cast<Answer*>(answer_.need(sizeof(Answer)));
  decode_.faces = there->face;
  decode_.face_counts = &there->faces;
  decode_.guess_counts = &there->guesses;
  check(decode_);
  input_ = maps[0];
}

void DeviceGridDetector::run(float min_score, Stream stream, std::vector<GridCandidate>& faces) {
  for (const RunLayer& step : steps_) throw_on_cuda_error(kernels_.run_layer(step, stream));
  decode_.min_score = min_score;
  throw_on_cuda_error(kernels_.decode_detections(decode_, stream));
  const auto answer = std::make_unique<Answer>();
  throw_on_cuda_error(
      kernels_.download(answer.get(), answer_.need(sizeof(Answer)), sizeof(Answer), stream));
  faces.insert(faces.end(), answer->face, answer->face + std::clamp(answer->faces, 0, kMaxFaces));
}

}  // namespace fer::kernels
