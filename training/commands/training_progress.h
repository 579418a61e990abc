// Where a training run stands, on the terminal.
#pragma once

#include <cstdio>

#include "learn/run/train_progress.h"
#include "terminal/progress.h"

namespace fer {

/// `unit`: what is counted a second: "images", "views".
inline void show_epochs(Progress& progress, const TrainProgress& p, int epochs, const char* unit) {
  char note[160];
  std::snprintf(note, sizeof note, "epoch %d/%d  loss %.4f  %.0f %s/s", p.epoch + 1, epochs, p.loss,
                p.images_per_second, unit);
  progress.update(p.epoch + static_cast<double>(p.step) / p.steps, epochs, note, p.seconds_left);
}

/// The same in steps, for runs that count these. `epoch_steps`: of a whole epoch.
inline void show_steps(Progress& progress, const TrainProgress& p, int epoch_steps, int steps) {
  char note[96];
  const int step = p.epoch * epoch_steps + p.step;
  std::snprintf(note, sizeof note, "step %d/%d  loss %.4f  %.0f images/s", step, steps, p.loss,
                p.images_per_second);
  progress.update(step, steps, note, p.seconds_left);
}

}  // namespace fer
