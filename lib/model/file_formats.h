// The kinds of safetensors files that we write, told apart by their metadata "format".
#pragma once

#include <string>

#include "model/safetensors.h"

namespace fer {

inline constexpr char kModelFormat[] = "gst-fer/1";
inline constexpr char kDetectorFormat[] = "gst-fer-detector/1";
inline constexpr char kLatentsFormat[] = "gst-fer-latents/1";  ///< Labelled activations.
inline constexpr char kScenesFormat[] = "gst-fer-scenes/1";    ///< Photos with faces.

/// For messages: what a file that is not the expected one is.
inline std::string content_of(const SafetensorsFile& file) {
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end()) return "a safetensors file without a format";
  std::string what = "a safetensors file";
  if (format->second == kModelFormat) what = "an expression model";
  if (format->second == kDetectorFormat) what = "a face detector";
  if (format->second == kLatentsFormat) what = "labelled activations of a network";
  if (format->second == kScenesFormat) what = "photos with faces";
  return what + " of format \"" + format->second + "\"";
}

}  // namespace fer
