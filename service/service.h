// The service: cameras, learners and the page, kept running until it is asked to stop.
#pragma once

#include <atomic>
#include <filesystem>

namespace fer {

/// Runs what the file says until `stop` is set. Each time `reload` is set, reads the file anew; one
/// with something wrong in it is told of, and what runs goes on. Throws ConfigError where the file
/// is wrong at the beginning, and std::runtime_error where a slot cannot be made or an address
/// cannot be listened at, by file and line.
void run_service(const std::filesystem::path& file, const std::atomic<bool>& stop,
                 std::atomic<bool>& reload);

}  // namespace fer
