// Batch norm for networks that were published with its statistics folded away.
#pragma once

#include <torch/nn.h>

#include <cstddef>
#include <functional>
#include <span>

#include "export.h"

namespace fer {

struct ModelFile;
class NetworkImpl;
class PackedDataset;

/// Sets each batch norm's mean and variance to those of what reaches it when the network sees
/// `images` (N x C x S x S, normalised), and its scale and shift so that the network still computes
/// the same. Without it, the first training step would normalise what the weights expect as it is.
/// Takes one pass over the images a layer.
void restore_batch_norm(NetworkImpl& network, const torch::Tensor& images);

/// The same for the batch norms of any network that is in evaluation: `show` shows it the images.
void restore_batch_norms(std::span<torch::nn::BatchNorm2d> norms,
                         const std::function<void()>& show);

/// As the first for a start without a head and rows of a dataset of its shape. Throws
/// std::runtime_error that names a tensor which `start` lacks.
FER_API void restore_batch_norm(ModelFile& start, const PackedDataset& data,
                                std::span<const std::size_t> rows);

}  // namespace fer
