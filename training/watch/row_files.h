// The tables that `fer watch` writes.
#pragma once

#include <filesystem>
#include <vector>

#include "watch/watch_run.h"

namespace fer {

/// All rows of the parts, with a header; one column a class of the model, or of FER+ where nobody
/// was seen. Atomic. Throws std::runtime_error where the file cannot be written.
void write_rows_csv(const std::filesystem::path& file, const WatchRun& run);

/// The same as one JSON object a line, which lacks what is not known.
void write_rows_jsonl(const std::filesystem::path& file, const WatchRun& run);

}  // namespace fer
