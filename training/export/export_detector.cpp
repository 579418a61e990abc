#include "export/export_detector.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "export/onnx_graph.h"
#include "network/detector_info.h"
#include "network/folded_detector.h"
#include "vision/detection_grid.h"

namespace fer {
namespace {

using nlohmann::json;

OnnxValue add_conv(OnnxGraph& graph, const OnnxValue& x, const FoldedDetector& detector,
                   const std::string& name) {
  return graph.relu(graph.conv(x, detector.conv(name)));
}

OnnxValue add_block(OnnxGraph& graph, const OnnxValue& x, const FoldedDetector& detector,
                    const std::string& name) {
  return add_conv(graph, add_conv(graph, x, detector, name + ".depthwise"), detector,
                  name + ".pointwise");
}

}  // namespace

std::string to_onnx(const FoldedDetector& detector, const DetectorInfo& info) {
  constexpr std::size_t kLevels = kCellStrides.size();
  OnnxGraph graph("face-detector", /*compact=*/true);
  OnnxValue x = graph.input(kDetectorInput, {{0, "batch"}, {1}, {0, "height"}, {0, "width"}});
  x = add_conv(graph, x, detector, "stem");
  std::array<OnnxValue, kLevels> features;
  for (std::size_t level = 0; level < kLevels; ++level) {
    for (int i = 0; i < detector.config.depths[level]; ++i)
      x = add_block(graph, x, detector, detector_block(kCellStrides[level], i));
    features[level] = x;
  }
  // From the coarsest map down, as DetectorNetImpl does it.
  for (std::size_t level = kLevels; level-- > 0;) {
    if (level > 0) {
      features[level] =
          graph.conv(features[level], detector.conv(detector_part("lateral", kCellStrides[level])));
    }
    if (level + 1 < kLevels)
      features[level] = graph.add(features[level], graph.upsample(features[level + 1], 2));
  }
  for (std::size_t level = 0; level < kLevels; ++level) {
    const int stride = kCellStrides[level];
    const std::string by = std::string("/").append(std::to_string(stride));
    const OnnxValue out =
        graph.conv(add_block(graph, features[level], detector, detector_part("head", stride)),
                   detector.conv(detector_part("out", stride)));
    graph.output(out, detector_part("faces_", stride),
                 {{0, "batch"}, {kCellValues}, {0, "height" + by}, {0, "width" + by}});
  }
  graph.describe("kind", "face-detector");
  graph.describe("version", info.version);
  graph.describe("strides", json(kCellStrides).dump());
  graph.describe(
      "cell",
      "logit of the score; x and y of the centre, logarithm of width and height; x and y "
      "of right eye, left eye, nose tip, right and left corner of the mouth; all in "
      "strides, points from the cell's upper left corner");
  return graph.to_bytes();
}

}  // namespace fer
