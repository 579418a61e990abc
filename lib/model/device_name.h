// Where to compute, by name. Free of LibTorch in its interface.
#pragma once

#include <string>

#include "export.h"

namespace fer {

/// The device that a name means, "cpu" or "cuda:N": of "cuda" the first CUDA device, of "auto" that
/// too where LibTorch can use it, else the processor. LibTorch's CUDA half, several hundred
/// megabytes, is opened here where there is a driver and somebody does not ask for the processor.
///
/// Throws std::runtime_error that says what is missing and what to do. `fallback`, if given: why
/// "auto" is the processor although there is a driver; empty where nothing stands in the way.
FER_API std::string resolve_device(const std::string& name, std::string* fallback = nullptr);

/// Opens LibTorch's CUDA half where there is a driver. Whether there are devices LibTorch decides
/// for good when it is first asked, and seeding asks: what may do so in a process where somebody
/// else may want a device later calls this first.
FER_API void open_devices();

}  // namespace fer
