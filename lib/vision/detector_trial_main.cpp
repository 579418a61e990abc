// The process of try_detector(): tries the detector file that is its standard input. Not for
// people.
#include <sys/resource.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "vision/detector_trial.h"

namespace {

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

void limit(__rlimit_resource_t what, rlim_t most) {
  const rlimit value{most, most};
  setrlimit(what, &value);
}

}  // namespace

int main(int argc, char** argv) {
  using fer::DetectorKind;
  if (argc != 2) return 2;
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, fer::kTrialSeconds);
  if (!kShadowMemory) limit(RLIMIT_AS, fer::kTrialMemory);
  const bool network = std::strcmp(argv[1], fer::name_of(DetectorKind::kNetwork)) == 0;
  const std::string found = fer::run_detector(
      network ? DetectorKind::kNetwork : DetectorKind::kCascade, "/proc/self/fd/0");
  std::printf("%c%s", found.empty() ? fer::kTrialWorks : fer::kTrialFails, found.c_str());
  return 0;
}
