// --device, for commands that train.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "learn/compute_device.h"

namespace fer {

/// Where to compute, "auto" unless asked for another.
inline void add_device(CLI::App& command, std::string& device) {
  device = "auto";
  command
      .add_option(
          "--device", device,
          "Where to compute: cpu, cuda, cuda:N, or auto: the first CUDA device that LibTorch "
          "can use, else the processor")
      ->capture_default_str();
}

/// Puts the device's own name in the place of what was asked for, and says it where it is no
/// processor. Throws what compute_device() throws.
inline void settle_device(std::string& device, const ProcessGroup* group = nullptr) {
  const torch::Device found = compute_device(device, group);
  device = found.str();
  if (found.is_cuda()) std::printf("computing on %s\n", device.c_str());
}

}  // namespace fer
