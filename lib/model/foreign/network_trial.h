// Networks of unknown origin, tried in a process of their own (vision/trial_process.h).
#pragma once

#include <string>
#include <vector>

#include "export.h"
#include "model/foreign/network_plan.h"

namespace fer {

/// Lets another process open a network of these bytes and show it a few made-up faces. What it says
/// of each, all values of the output. Throws std::runtime_error with what was found: "a file
/// that …".
std::vector<std::vector<float>> try_network(const std::string& onnx, const NetworkPlan& plan);

/// That process's work, which may end it. `arguments`: as try_network() makes them, behind the
/// program's name. The text for its stdout.
FER_API std::string run_network_trial(const std::vector<std::string>& arguments);

}  // namespace fer
