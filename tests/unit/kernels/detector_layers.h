// A network of the shape that our own detector has, with weights that say nothing.
#pragma once

#include <cmath>
#include <random>

#include "vision/detection_grid.h"
#include "vision/grid_layer.h"

namespace fer::test {

class DetectorLayers {
 public:
  explicit DetectorLayers(unsigned seed) : random_(seed) {
    int x = conv(0, 1, 32, 7, 4);
    const int fine = blocks(x, {32, 64, 64, 64, 64, 64});
    const int middle = blocks(fine, {64, 96, 96, 96, 96});
    const int coarse = blocks(middle, {96, 128, 128, 128});
    const int coarse_path = pointwise(coarse, 128, 64, /*relu=*/false);
    const int middle_path = add(pointwise(middle, 96, 64, /*relu=*/false), enlarge(coarse_path));
    const int fine_path = add(fine, enlarge(middle_path));
    for (const int path : {fine_path, middle_path, coarse_path}) {
      x = pointwise(filters(path, 64, 1), 64, 64, /*relu=*/true);
      layers.outputs.push_back(pointwise(x, 64, kCellValues, /*relu=*/false));
    }
  }

  GridLayers layers;

 private:
  int push(GridLayer layer) {
    layers.layers.push_back(std::move(layer));
    return static_cast<int>(layers.layers.size());
  }
  int conv(int input, int in, int out, int kernel, int stride, bool relu = true) {
    GridLayer layer;
    layer.input = input;
    layer.relu = relu;
    layer.out = out;
    layer.in = in;
    layer.kernel = kernel;
    layer.stride = stride;
    layer.pad = kernel / 2;
    const int seen = in * kernel * kernel;
    std::normal_distribution<float> normal(0, std::sqrt(2.f / static_cast<float>(seen)));
    for (int i = 0; i < out * seen; ++i) layer.weight.push_back(normal(random_));
    layer.bias.assign(static_cast<std::size_t>(out), 0.f);
    return push(std::move(layer));
  }
  int filters(int input, int channels, int stride) { return conv(input, 1, channels, 3, stride); }
  int pointwise(int input, int in, int out, bool relu) { return conv(input, in, out, 1, 1, relu); }
  /// Depthwise and pointwise convolutions in turns; the first halves the sides. Channels in
  /// between.
  int blocks(int x, const std::vector<int>& channels) {
    for (std::size_t i = 0; i + 1 < channels.size(); ++i)
      x = pointwise(filters(x, channels[i], i == 0 ? 2 : 1), channels[i], channels[i + 1], true);
    return x;
  }
  int enlarge(int input) {
    GridLayer layer;
    layer.kind = GridLayer::kEnlarge;
    layer.input = input;
    return push(layer);
  }
  int add(int input, int other) {
    GridLayer layer;
    layer.kind = GridLayer::kAdd;
    layer.input = input;
    layer.other = other;
    return push(layer);
  }

  std::mt19937 random_;
};

}  // namespace fer::test
