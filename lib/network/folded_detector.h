// The face detector as it is served: batch norm folded into the convolutions.
#pragma once

#include <map>
#include <string>

#include "export.h"
#include "model/folded_network.h"
#include "network/detector_config.h"

namespace fer {

struct DetectorFile;

struct FoldedDetector {
  DetectorNetConfig config;
  std::map<std::string, FoldedConv> convs;  ///< By the names of detector_convs().

  const FoldedConv& conv(const std::string& name) const { return convs.at(name); }
};

/// Folds a detector. The stem takes pixel values 0 to 255, and the scores' logits are shifted so
/// that its operating score becomes kServedScore. Throws std::runtime_error that names a tensor
/// that is missing or has the wrong shape.
FER_API FoldedDetector fold(const DetectorFile& detector);

}  // namespace fer
