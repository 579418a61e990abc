// Batch norm for networks that were published with its statistics folded away.
#pragma once

#include <torch/types.h>

#include "export.h"

namespace fer {

class NetworkImpl;

/// Sets each batch norm's mean and variance to those of what reaches it when the network sees
/// `images` (N x C x S x S, normalised), and its scale and shift so that the network still computes
/// the same. Without it, the first training step would normalise what the weights expect as it is.
/// Takes one pass over the images a layer.
FER_API void restore_batch_norm(NetworkImpl& network, const torch::Tensor& images);

}  // namespace fer
