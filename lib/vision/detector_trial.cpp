#include "vision/detector_trial.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "util/read_file.h"
#include "vision/detector_backends.h"
#include "vision/trial_process.h"

namespace fer {

std::string try_detector(DetectorKind kind, const std::string& bytes) {
  const TrialProgram program{"fer-detector-trial", "lib/vision", {name_of(kind)}};
  const TrialResult result = try_in_process(program, bytes);
  return result.works ? std::string() : result.said;
}

std::string run_detector(DetectorKind kind, const std::filesystem::path& file) {
  try {
    const auto detector = kind == DetectorKind::kNetwork
                              ? read_network(read_file(file, kMaxDetectorFile))
                              : read_cascade(file);
    FrameView frame;
    frame.format = PixelFormat::kGray8;
    frame.width = 160;
    frame.height = 128;
    const std::vector<std::uint8_t> picture = trial_noise(160 * 128);
    frame.data[0] = picture.data();
    frame.stride[0] = frame.width;
    detector->detect(frame, {});
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace fer
