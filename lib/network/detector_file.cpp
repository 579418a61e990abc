#include "network/detector_file.h"

#include <stdexcept>

#include "model/file_formats.h"
#include "model/shallow_json.h"
#include "model/stored_weights.h"
#include "network/torch_weights.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr char kKind[] = "face-detector";
constexpr int kMaxDepth = 32;

DetectorInfo info_of(const SafetensorsFile& file) {
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(file.path().string() + ": " + what);
  };
  if (!has_format(file, kDetectorFormat)) {
    fail(std::string("expected a face detector (format ") + kDetectorFormat + "), found " +
         content_of(file));
  }
  require_unchanged(file);
  DetectorInfo info;
  try {
    const json detector = parse_shallow_json(file.meta("detector"), kMaxDepth);
    if (!detector.is_object() || detector.value("kind", "") != kKind)
      throw std::runtime_error(std::string("expected a detector of kind ") + kKind);
    detector.at("network").get_to(info.network);
    detector.at("operating_score").get_to(info.operating_score);
    detector.at("version").get_to(info.version);
    info.provenance = detector.value("provenance", json());
  } catch (const json::exception& error) {
    fail(std::string("its metadata is broken: ") + error.what());
  } catch (const std::runtime_error& error) {
    fail(error.what());
  }
  if (!(info.operating_score > 0 && info.operating_score < 1))
    fail("operating_score must be between 0 and 1");
  return info;
}

}  // namespace

bool is_detector_file(const std::filesystem::path& path) {
  try {
    const SafetensorsFile file(path);
    const auto format = file.metadata().find("format");
    return format != file.metadata().end() && format->second.starts_with("gst-fer-detector/");
  } catch (const std::runtime_error&) {
    return false;
  }
}

DetectorInfo read_detector_info(const std::filesystem::path& path) {
  return info_of(SafetensorsFile(path, FileAccess::kRead));
}

DetectorFile read_detector(const std::filesystem::path& path) {
  const SafetensorsFile file(path, FileAccess::kRead);
  DetectorFile detector{info_of(file), {}};
  detector.weights = to_torch(read_weights(file, detector_layout(detector.info.network)));
  return detector;
}

void write_detector(const std::filesystem::path& path, DetectorFile& detector) {
  const StoredWeights stored(to_plain(detector.weights), /*bf16=*/false);
  detector.info.version = stored.version();
  const json text{{"kind", kKind},
                  {"network", detector.info.network},
                  {"operating_score", detector.info.operating_score},
                  {"version", detector.info.version},
                  {"provenance", detector.info.provenance}};
  write_safetensors(
      path, stored.views(),
      with_checksum({{"format", kDetectorFormat}, {"detector", text.dump()}}, stored.views()));
}

}  // namespace fer
