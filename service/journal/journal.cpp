#include "journal/journal.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace fer {

void log_line(Level level, const std::string& text) {
  // systemd sets it for processes whose standard error goes to the journal.
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  std::string line = "fer: ";
  if (journal) line = std::string("<").append(std::to_string(static_cast<int>(level))) + ">";
  line += text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  // One call, so that lines of several threads do not mix. Who cannot be told cannot be told.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

void notify_systemd(const std::string& state) {
#ifdef HAVE_SYSTEMD
  sd_notify(/*unset_environment=*/0, state.c_str());
#else
  (void)state;
#endif
}

std::optional<std::chrono::microseconds> watchdog_interval() {
#ifdef HAVE_SYSTEMD
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &microseconds) > 0)
    return std::chrono::microseconds(microseconds);
#endif
  return std::nullopt;
}

}  // namespace fer
