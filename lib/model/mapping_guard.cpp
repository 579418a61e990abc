#include "model/mapping_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <stdexcept>

namespace fer {
namespace {

/// What the handler looks at: it may take no lock.
struct Place {
  std::atomic<std::uintptr_t> begin{0}, end{0};  ///< Equal: free.
  std::atomic<bool> shrank{false};
};

constexpr std::size_t kPlaces = 1024;
std::array<Place, kPlaces> places;
std::mutex changes;
struct sigaction earlier {};

Place* place_of(std::uintptr_t address) {
  for (Place& place : places)
    if (address >= place.begin && address < place.end) return &place;
  return nullptr;
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (info->si_code == BUS_ADRERR) {
    if (Place* place = place_of(address)) {
      const auto page = static_cast<std::uintptr_t>(::getpagesize());
      void* const at = reinterpret_cast<void*>(address / page * page);
      if (::mmap(at, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at) {
        place->shrank = true;
        errno = error;
        return;
      }
    }
  }
  if ((earlier.sa_flags & SA_SIGINFO) != 0) {
    earlier.sa_sigaction(signal, info, context);
  } else if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN) {
    earlier.sa_handler(signal);
  } else {
    // As if nobody had asked for the signal: it ends the process.
    ::signal(SIGBUS, SIG_DFL);
    ::raise(SIGBUS);
  }
  errno = error;
}

void install_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &earlier);
}

}  // namespace

MappingGuard::MappingGuard(const void* begin, std::size_t bytes) {
  static std::once_flag once;
  std::call_once(once, install_handler);
  const std::lock_guard lock(changes);
  for (; place_ < kPlaces; ++place_) {
    Place& place = places[place_];
    if (place.end != 0) continue;
    place.shrank = false;
    place.begin = reinterpret_cast<std::uintptr_t>(begin);
    place.end = place.begin + bytes;
    return;
  }
  throw std::runtime_error("more than " + std::to_string(kPlaces) + " files are mapped at once");
}

MappingGuard::~MappingGuard() {
  const std::lock_guard lock(changes);
  places[place_].end = 0;
}

bool MappingGuard::shrank() const {
  return places[place_].shrank;
}

const std::atomic<bool>* shrank_flag(const void* address) {
  const Place* place = place_of(reinterpret_cast<std::uintptr_t>(address));
  return place != nullptr ? &place->shrank : nullptr;
}

}  // namespace fer
