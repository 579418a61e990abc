// The kinds of safetensors files that we write, told apart by their metadata "format": a name and,
// behind a slash, a version.
#pragma once

#include <string>
#include <string_view>

#include "model/safetensors.h"

namespace fer {

// What is written now. Version 2 came with checksums: of the first three over the whole file, of
// photos block by block. Version 1 is still read.
inline constexpr char kModelFormat[] = "gst-fer/2";
inline constexpr char kDetectorFormat[] = "gst-fer-detector/2";
inline constexpr char kLatentsFormat[] = "gst-fer-latents/2";  ///< Labelled activations.
inline constexpr char kScenesFormat[] = "gst-fer-scenes/2";    ///< Photos with faces.

/// True where the file has the format `current` or an earlier version of it.
inline bool has_format(const SafetensorsFile& file, std::string_view current) {
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end()) return false;
  if (format->second == current) return true;
  const std::string first = std::string(current.substr(0, current.find('/'))) + "/1";
  return format->second == first;
}

/// For messages: what a file that is not the expected one is.
inline std::string content_of(const SafetensorsFile& file) {
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end()) return "a safetensors file without a format";
  const std::string name = format->second.substr(0, format->second.find('/'));
  std::string what = "a safetensors file";
  if (name == "gst-fer") what = "an expression model";
  if (name == "gst-fer-detector") what = "a face detector";
  if (name == "gst-fer-latents") what = "labelled activations of a network";
  if (name == "gst-fer-scenes") what = "photos with faces";
  return what + " of format \"" + format->second + "\"";
}

}  // namespace fer
