// The network of a model file as a LibTorch module.
#pragma once

#include <string>

#include "learn/run/module_run.h"
#include "network/model_file.h"
#include "network/network.h"

namespace fer {

/// A network that computes the model's calibrated logits, as serving does: on `device`, in
/// evaluation mode, with kernels in channels-last order. Throws what copy_state() throws; `where`
/// names the file there.
inline Network network_of(const ModelFile& model, const std::string& where,
                          torch::Device device = torch::kCPU) {
  Network network(model.info.network);
  copy_state(with_calibration_in_head(model).weights, *network, where);
  to_channels_last(*network);
  if (!device.is_cpu()) network->to(device);
  network->eval();
  return network;
}

}  // namespace fer
