// Watches everything that was asked for, on one or several threads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "watch/parts.h"
#include "watch/watchers.h"

namespace fer {

struct WatchRun {
  std::vector<std::filesystem::path> parts;  ///< In the order of the inputs.
  std::vector<WatchResult> results;          ///< One an input, likewise.
  std::vector<std::string> unreadable;       ///< A sentence each.
  std::size_t resumed = 0;                   ///< Inputs that an earlier run had done.
  double seconds = 0;                        ///< That the rest took.
  bool stopped = false;                      ///< Somebody stopped it before all was watched.
};

/// Watches the units, `jobs` of them at once, with a progress bar for all. What parts hold already
/// is left out. An input that cannot be read is told of on stderr, and the others go on. Throws
/// std::runtime_error where nothing can go on: a full disk, elements that fail.
WatchRun watch_all(const FoundInputs& inputs, const WatchSettings& settings, const Parts& parts,
                   int jobs);

}  // namespace fer
