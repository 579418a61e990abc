// Detector files of unknown origin, tried in a process of their own (trial_process.h).
#pragma once

#include <filesystem>
#include <string>

#include "export.h"

namespace fer {

/// How a file is read.
enum class DetectorKind { kNetwork, kCascade };

/// Lets another process open a detector of these bytes and run it, with bounds on its time and
/// memory. Empty where that works; else, for people, what was found: "a file that …".
std::string try_detector(DetectorKind kind, const std::string& bytes);

/// That process's work, which may end it: opens the file, whatever it is, and looks at one picture.
/// Empty, or what was found.
FER_API std::string run_detector(DetectorKind kind, const std::filesystem::path& file);

/// What the process is told on its command line.
inline const char* name_of(DetectorKind kind) {
  return kind == DetectorKind::kNetwork ? "network" : "cascade";
}

}  // namespace fer
