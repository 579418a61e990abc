// Batch norm, an added shortcut and ReLU in one go.
#pragma once

#include <torch/nn.h>

#include "model/batch_share.h"

namespace fer {

/// relu(norm(x) + shortcut), the shortcut left out where it is undefined, ReLU where `relu` is
/// false. N x C x H x W → the same shape, and the same gradients and running statistics as by
/// LibTorch's operations one by one, of which each goes through memory: on the processor, in fp32
/// or bfloat16, this does not, and rounds once. Elsewhere it is these.
///
/// In training with a share, mean and variance are those of the whole batch, as are the gradients
/// through them (synchronised batch norm, as in torch.nn.SyncBatchNorm). The norm's parameters get
/// the gradients of the rows here alone, which are to be averaged over the processes like all
/// others. Without a share, the rows here are the whole batch. Throws what the share's sum()
/// throws.
torch::Tensor norm_relu(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& x,
                        const BatchSharePtr& share = {}, const torch::Tensor& shortcut = {},
                        bool relu = true);

}  // namespace fer
