// A published face recognition network as a start for training expression models.
#pragma once

#include <string>
#include <vector>

#include "import/dlib_network.h"
#include "model/model_file.h"
#include "model/network_config.h"

namespace fer {

/// What a published network is to become.
struct FaceNetworkShape {
  int side = 48;     ///< Pixels of a crop. Below kEnlargeBelow, the stem also enlarges it twofold.
  int channels = 1;  ///< 1: grey, as if all three colours were equal; 3: RGB.
  std::string align_template = "fer";
};

/// The published network wants faces of about 150 px; smaller crops are shown to it at twice their
/// size.
inline constexpr int kEnlargeBelow = 80;

/// The network for crops of this shape. Stages that such small crops leave no maps for are left
/// out. Throws std::runtime_error where nothing is left.
NetworkConfig face_network_config(const FaceNetworkShape& shape);

/// A start for training (without a head). It computes what the published network computes of the
/// same pixels, enlarged bilinearly where the crops are small. Batch norm stands for the published
/// scales and shifts: means of zero and variances of one, which training would unlearn; see
/// restore_batch_norm(). Throws std::runtime_error where the published layers do not fit the plan.
ModelFile face_network(const PublishedFaceNetwork& published, const FaceNetworkShape& shape);

}  // namespace fer
