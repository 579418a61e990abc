// What the commands that train say of runs that can be stopped and gone on with.
#pragma once

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "learn/run/run_settings.h"
#include "learn/run/train_progress.h"
#include "terminal/interrupt.h"
#include "terminal/output_files.h"

namespace fer {

/// For --resume. Throws std::runtime_error where the folder holds no checkpoint.
inline void require_checkpoint(const std::filesystem::path& out) {
  if (std::filesystem::exists(out / "checkpoint")) return;
  throw std::runtime_error(out.string() +
                           ": expected a run's checkpoint to go on from, found none");
}

/// What can be told of a run before its data are read: throws std::runtime_error where `out` cannot
/// be written, or holds a run with other settings. `known`: those of the trainer's configuration
/// that the data do not change.
inline void require_startable(const std::filesystem::path& out, nlohmann::json known) {
  require_writable_folder(out);
  // The network's last parts follow from the data, the others from the machine.
  for (const char* later : {"network", "device", "threads", "frozen_blocks", "light_head"})
    known.erase(later);
  require_same_settings(out, known);
}

/// Throws Interrupted where the run was stopped, and, unless another process does, says how it goes
/// on.
inline void end_if_stopped(const TrainResult& result, const std::filesystem::path& out,
                           bool talks = true) {
  if (!result.stopped) return;
  if (talks)
    std::printf("stopped; the same command goes on from the last checkpoint in %s\n", out.c_str());
  throw Interrupted();
}

}  // namespace fer
