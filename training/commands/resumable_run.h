// What the commands that train say of runs that can be stopped and gone on with.
#pragma once

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "learn/run/train_progress.h"
#include "terminal/interrupt.h"

namespace fer {

/// For --resume. Throws std::runtime_error where the folder holds no checkpoint.
inline void require_checkpoint(const std::filesystem::path& out) {
  if (std::filesystem::exists(out / "checkpoint")) return;
  throw std::runtime_error(out.string() +
                           ": expected a run's checkpoint to go on from, found none");
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
