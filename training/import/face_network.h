// A published face recognition network as a start for training expression models.
#pragma once

#include <string>
#include <vector>

#include "import/dlib_network.h"
#include "model/crop_format.h"
#include "model/network_config.h"
#include "network/model_file.h"

namespace fer {

/// The published network wants faces of about 150 px. Crops below this many pixels a side are shown
/// to it at twice their size: the stem enlarges them.
inline constexpr int kEnlargeBelow = 80;

/// The network for such crops. Grey ones it sees as if all three colours were equal. Stages whose
/// maps would be empty are left out. Throws std::runtime_error where nothing is left.
NetworkConfig face_network_config(const CropFormat& crops);

/// A start for training (without a head). It computes what the published network computes of the
/// same pixels, enlarged bilinearly where the crops are small. Batch norm stands for the published
/// scales and shifts: means of zero and variances of one, which training would unlearn; see
/// restore_batch_norm(). Throws std::runtime_error where the published layers do not fit the plan.
ModelFile face_network(const PublishedFaceNetwork& published, const CropFormat& crops);

}  // namespace fer
