// Batch norm, an added shortcut and ReLU in one pass over memory.
#pragma once

#include <torch/nn.h>

#include "network/batch_shard.h"

namespace fer {

/// relu(norm(x) + shortcut), the shortcut left out where it is undefined, ReLU where `relu` is
/// false. N x C x H x W → the same shape, and the same gradients and running statistics as by
/// LibTorch's operations one by one, of which each goes through memory: on the processor, in fp32
/// or bfloat16, this does not, and rounds once. Elsewhere it is these.
///
/// In training with a shard, mean and variance are those of the whole batch, and so are the
/// gradients through them (synchronised batch norm, as in torch.nn.SyncBatchNorm). The norm's
/// parameters get the gradients of this process's rows; the caller averages them over the processes
/// like all others. Without a shard, the rows are the whole batch. Throws what the shard's sum()
/// throws.
torch::Tensor fused_batch_norm_relu(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& x,
                                    const BatchShardPtr& shard = {},
                                    const torch::Tensor& shortcut = {}, bool relu = true);

}  // namespace fer
