// Where to compute, by name.
#pragma once

#include <string>

#include "export.h"

namespace fer {

/// The device that a name means, "cpu" or "cuda:N": of "cuda" the first CUDA device, of "auto" that
/// too where LibTorch can use it, else the processor. LibTorch, and its CUDA half of several
/// hundred megabytes, are opened where there is a driver and somebody does not ask for the
/// processor.
///
/// Throws std::runtime_error that says what is missing and what to do. `fallback`, if given: why
/// "auto" is the processor although there is a driver; empty where nothing stands in the way.
FER_API std::string resolve_device(const std::string& name, std::string* fallback = nullptr);

}  // namespace fer
