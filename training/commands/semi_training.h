// `fer train --labeled …`: from few labels and many unlabelled faces.
#pragma once

#include <filesystem>
#include <vector>

#include "commands/data_options.h"
#include "commands/processes.h"
#include "learn/semi/semi_trainer.h"

namespace fer {

/// What is asked of a semi-supervised run.
struct SemiRequest {
  std::filesystem::path labelled, valid;  ///< `valid` empty: the split of `labelled`.
  std::vector<std::filesystem::path> unlabelled;
  int labels_per_class = 0;  ///< 0: all labels there are, or `label_share` of them.
  double label_share = 1;
  bool fewer_is_fine = false;  ///< See SemiSources.
  int min_votes = 2;
  std::filesystem::path init;          ///< For run.json: what `train.init` was read from.
  AlignMode align = AlignMode::kAuto;  ///< This and the next two: of data that is not packed.
  CropFormat shape;
  ReadOptions read;
  SemiConfig train;
  std::filesystem::path view_cache;  ///< Of the views above `train.frozen_blocks`; made if missing.
  std::filesystem::path out;
};

/// Trains, with a progress bar and warnings on stderr, and leaves run.json beside what
/// train_semi_supervised() leaves. Throws std::runtime_error for bad input; Interrupted.
void run_semi_supervised(SemiRequest request, const Processes& processes);

}  // namespace fer
