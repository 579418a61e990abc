// --device, for commands that train.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "learn/device/compute_device.h"
#include "learn/distributed/process_group.h"
#include "model/device_name.h"

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

/// Says where `device`, by its own name, is no processor.
inline void tell_device(const std::string& device) {
  if (device != "cpu") std::printf("computing on %s\n", device.c_str());
}

/// Puts the device's own name in the place of what was asked for, and tells it. Throws what
/// compute_device() throws.
inline void settle_device(std::string& device, const ProcessGroup* group = nullptr) {
  device = compute_device(device, group).str();
  if (!group || group->writes()) tell_device(device);
}

}  // namespace fer
