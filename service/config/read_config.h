// Reads the file of `fer run`.
#pragma once

#include <filesystem>

#include "config/service_config.h"

namespace fer {

/// Reads and checks the whole file; docs/reference/run.md describes it. Throws ConfigError with
/// every problem by its line, none of which quotes a secret. GStreamer must be initialised. Opens
/// neither cameras nor ports.
ServiceConfig read_service_config(const std::filesystem::path& file);

}  // namespace fer
