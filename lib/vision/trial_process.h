// Files of unknown origin, tried in a process of their own: some that are broken kill the libraries
// that read them, and the process with them.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "export.h"

namespace fer {

/// The bounds of the process.
inline constexpr int kTrialSeconds = 30;
inline constexpr std::size_t kTrialMemory = std::size_t{4} << 30;

/// What the process writes to stdout first: that the file works, and then what it learnt of it; or
/// that it does not, and then what was found.
inline constexpr char kTrialWorks = '+', kTrialFails = '-';

/// A program that tries a file, which is its standard input.
struct TrialProgram {
  std::string name;                    ///< Of the program, as it is installed.
  std::filesystem::path build_folder;  ///< Where it lies in the build's folder.
  std::vector<std::string> arguments;
};

/// What became of the file.
struct TrialResult {
  bool works = false;
  std::string said;  ///< What the process learnt; where it does not work: "a file that …".
};

/// Lets the program try these bytes, with bounds on its time and memory. Does not throw for what
/// the file or the system does.
FER_API TrialResult try_in_process(const TrialProgram& program, const std::string& bytes);

/// For that program: what to look at. In noise, a detector does most of its work.
FER_API std::vector<std::uint8_t> trial_noise(std::size_t size);

/// For that program: bounds its own time and memory, and leaves no core dumps.
inline void bound_this_trial() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr bool kShadowMemory = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  constexpr bool kShadowMemory = true;
#else
  constexpr bool kShadowMemory = false;
#endif
#else
  constexpr bool kShadowMemory = false;
#endif
  const auto limit = [](__rlimit_resource_t what, rlim_t most) {
    const rlimit value{most, most};
    setrlimit(what, &value);
  };
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kTrialSeconds);
  if (!kShadowMemory) limit(RLIMIT_AS, kTrialMemory);
}

}  // namespace fer
