// `fer train --labeled …`: from few labels and many unlabelled faces.
#pragma once

#include <filesystem>
#include <vector>

#include "commands/data_options.h"
#include "commands/processes.h"
#include "learn/semi/ssl_trainer.h"

namespace fer {

/// What is asked of a semi-supervised run.
struct SslRequest {
  std::filesystem::path labelled, valid;  ///< `valid` empty: the split of `labelled`.
  std::vector<std::filesystem::path> unlabelled;
  std::vector<std::filesystem::path> distractors;  ///< See SslSources, as the next three.
  bool only_unlabelled = false;
  std::vector<double> unlabelled_mix;
  std::size_t unlabelled_count = 6000;
  int labels_per_class = 0;  ///< 0: all labels there are, or `label_share` of them.
  double label_share = 1;
  bool fewer_is_fine = false;  ///< See SslSources.
  int min_votes = 2;
  std::filesystem::path init;          ///< For run.json: what `train.init` was read from.
  AlignMode align = AlignMode::kAuto;  ///< This and the next two: of data that is not packed.
  CropFormat shape;
  ReadOptions read;
  SslConfig train;
  /// With a dataset of features: channels of the new block above them; 0: the network's own upper
  /// half goes on from `init`.
  int light_head = 0;
  bool self_gate = false;  ///< See gate_unlabelled().
  std::filesystem::path out;
};

/// Trains, with a progress bar and warnings on stderr, and leaves run.json beside what
/// train_semi_supervised() leaves. Throws std::runtime_error for bad input; Interrupted.
void run_semi_supervised(SslRequest request, const Processes& processes);

}  // namespace fer
