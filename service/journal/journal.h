// What a service says: lines for systemd's journal or a terminal, and its state for systemd itself.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace fer {

/// As syslog's levels, of which these are used.
enum class Level { kError = 3, kWarning = 4, kNotice = 5, kInfo = 6 };

/// Writes one line to standard error, whole whichever threads write. Where the journal reads it,
/// the level stands before it as sd-daemon(3) says; newlines become spaces.
void log_line(Level level, const std::string& text);

/// Tells systemd what sd_notify(3) takes ("READY=1"). Nothing happens where systemd did not start
/// the process, or where the build knows no libsystemd.
void notify_systemd(const std::string& state);

/// How often systemd wants a sign of life ("WATCHDOG=1"); nullopt where it wants none.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace fer
