// Where to compute, by name. Free of LibTorch in its interface.
#pragma once

#include <string>

#include "export.h"

namespace fer {

/// The device that a name means, "cpu" or "cuda:N": of "cuda" the first CUDA device, of "auto" that
/// too where LibTorch can use it, else the processor. LibTorch's CUDA half, several hundred
/// megabytes, is opened where there is a driver and somebody does not ask for the processor, or
/// seeds (seed_torch()).
///
/// Throws std::runtime_error that says what is missing and what to do. `fallback`, if given: why
/// "auto" is the processor although there is a driver; empty where nothing stands in the way.
FER_API std::string resolve_device(const std::string& name, std::string* fallback = nullptr);

/// Opens LibTorch's CUDA half where there is a driver, so that what is asked of LibTorch from now
/// on is answered with it. See seed_torch().
FER_API void open_devices();

}  // namespace fer
