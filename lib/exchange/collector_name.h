// The name of a machine among those of a slot.
#pragma once

#include <filesystem>
#include <string>

namespace fer {

/// The host's name and eight hex digits that are drawn once and kept in the folder: the same after
/// a restart, another one for each folder. Throws std::runtime_error where the folder cannot be
/// made or written.
std::string collector_name(const std::filesystem::path& folder);

/// Sixteen random hex digits.
std::string random_name();

}  // namespace fer
