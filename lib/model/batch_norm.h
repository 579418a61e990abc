// Batch norm that several processes can compute together.
#pragma once

#include <torch/nn.h>

#include "model/batch_share.h"

namespace fer {

/// What `norm` makes of x, N x C x H x W → the same shape. In training with a share, mean and
/// variance are those of the whole batch, as are the gradients through them (synchronised batch
/// norm, as in torch.nn.SyncBatchNorm). Its parameters get the gradients of the rows here alone,
/// which are to be averaged over the processes like all others. Without a share, the rows here are
/// the whole batch. Throws what the share's sum() throws.
torch::Tensor batch_norm(torch::nn::BatchNorm2d& norm, const torch::Tensor& x,
                         const BatchSharePtr& share);

}  // namespace fer
