#include "kernels/run_layer.h"

#include <string>

#include "kernels/argument_checker.h"

namespace fer::kernels {
namespace {

std::string shape_of(const FeatureMaps& maps) {
  return std::to_string(maps.channels) + " x " + std::to_string(maps.height) + " x " +
         std::to_string(maps.width);
}

}  // namespace

FeatureMaps made_by(const RunLayer& l) {
  const auto after = [&](int side) { return convolved_side(side, l.kernel, l.stride, l.pad); };
  switch (l.kind) {
    case GridLayer::kConv: {
      const int channels = l.seen == l.from.channels ? l.to.channels : l.from.channels;
      return {nullptr, channels, after(l.from.height), after(l.from.width)};
    }
    case GridLayer::kEnlarge:
      return {nullptr, l.from.channels, 2 * l.from.height, 2 * l.from.width};
    default:
      return {nullptr, l.from.channels, l.from.height, l.from.width};
  }
}

void check(const RunLayer& l) {
  const ArgumentChecker require{"run_layer"};
  require(l.from.data && value_count(l.from) > 0, "maps to read");
  require(l.to.data && l.to.channels > 0, "room for what is made");
  if (l.kind == GridLayer::kConv) {
    require(l.weight && l.bias, "weights");
    require(l.kernel > 0 && l.stride > 0 && l.pad >= 0, "a kernel, a stride and a padding");
    require(l.seen == l.from.channels || l.seen == 1,
            "filters over all " + std::to_string(l.from.channels) +
                " channels or one each, found " + std::to_string(l.seen));
  }
  if (l.kind == GridLayer::kAdd)
    require(l.other.data && shape_of(l.other) == shape_of(l.from), "two maps of one shape");
  const std::string made = shape_of(made_by(l));
  require(shape_of(l.to) == made, made + " values, found room for " + shape_of(l.to));
}

void run_layer(const RunLayer& layer) {
  check(layer);
  for (int c = 0; c < layer.to.channels; ++c) {
    for (int y = 0; y < layer.to.height; ++y)
      for (int x = 0; x < layer.to.width; ++x) make_value<0>(layer, c, y, x);
  }
}

}  // namespace fer::kernels
