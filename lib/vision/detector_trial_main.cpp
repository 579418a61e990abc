// The process of try_detector(): tries the detector file that is its standard input. Not for
// people.
#include <cstdio>
#include <cstring>
#include <string>

#include "vision/detector_trial.h"
#include "vision/trial_process.h"

int main(int argc, char** argv) {
  using fer::DetectorKind;
  if (argc != 2) return 2;
  fer::bound_this_trial();
  const bool network = std::strcmp(argv[1], fer::name_of(DetectorKind::kNetwork)) == 0;
  const std::string found = fer::run_detector(
      network ? DetectorKind::kNetwork : DetectorKind::kCascade, "/proc/self/fd/0");
  std::printf("%c%s", found.empty() ? fer::kTrialWorks : fer::kTrialFails, found.c_str());
  return 0;
}
