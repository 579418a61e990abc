// The settings that a run was begun with, for telling before the work that others were asked for.
// Free of LibTorch.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "export.h"

namespace fer {

/// How two runs' settings differ, for people: "epochs 40 there, 20 here; seed 1 there, 2 here", the
/// first five. Empty: they do not. `common`: look only at what both have.
FER_API std::string settings_difference(const nlohmann::json& there, const nlohmann::json& here,
                                        bool common = false);

/// Throws std::runtime_error where the folder holds the checkpoint of a run that cannot go on with
/// these settings. `known`: as the trainer's configuration writes them; what it lacks, and what
/// only the checkpoint has, is not compared. For a look before the data are read.
FER_API void require_same_settings(const std::filesystem::path& out, const nlohmann::json& known);

}  // namespace fer
