#include "network/folded_detector.h"

#include <cmath>

#include "model/conv_folder.h"
#include "network/detector_file.h"
#include "network/torch_weights.h"

namespace fer {
namespace {

double logit(double share) {
  return std::log(share / (1 - share));
}

}  // namespace

FoldedDetector fold(const DetectorFile& detector) {
  const DetectorInfo& info = detector.info;
  const FloatTensors weights = to_plain(detector.weights);
  const ConvFolder folder(weights, detector_layout(info.network));
  const auto shift = static_cast<float>(logit(kServedScore) - logit(info.operating_score));
  FoldedDetector folded{info.network, {}};
  for (const DetectorConv& conv : detector_convs(info.network)) {
    FoldedConv& made = folded.convs[conv.name];
    if (conv.norm.empty()) {
      made = folder.conv_with_bias(conv.name, conv.groups);
      made.bias[0] += shift;
    } else {
      made = folder.conv(conv.name, conv.norm, conv.stride, conv.groups);
    }
  }
  // Zeros that pad are black before and after, so the scale of the pixels goes into the kernel.
  for (float& weight : folded.convs.at("stem").weight) weight /= 255;
  return folded;
}

}  // namespace fer
