// Where a training run of whole epochs stands, on the terminal.
#pragma once

#include <cstdio>

#include "learn/train_progress.h"
#include "progress.h"

namespace fer {

/// `unit`: what is counted a second: "images", "views".
inline void show_epochs(Progress& progress, const TrainProgress& p, int epochs, const char* unit) {
  char note[160];
  std::snprintf(note, sizeof note, "epoch %d/%d  loss %.4f  %.0f %s/s", p.epoch + 1, epochs, p.loss,
                p.images_per_second, unit);
  progress.update(p.epoch + static_cast<double>(p.step) / p.steps, epochs, note, p.seconds_left);
}

}  // namespace fer
