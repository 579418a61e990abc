#include "terminal/interrupt.h"

#include <csignal>

namespace fer {

std::atomic<bool> stop_requested{false};

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested = true; };
  // Back to the default after the first: who asks twice does not want to wait. System calls go on,
  // so that a file that is being written is still written whole.
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace fer
