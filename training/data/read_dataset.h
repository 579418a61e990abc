// Whatever holds faces, decoded for packing.
#pragma once

#include <filesystem>
#include <string>

#include "data/data_source.h"

namespace fer {

/// Decodes the images that a CSV, a folder or a known dataset names, or the faces of a video file.
/// `folder` is where they will be written: too little space there is told before the work, with
/// `remedy` at the sentence's end. Throws std::runtime_error: file, line, what was expected;
/// Interrupted.
FaceRows read_dataset(const std::filesystem::path& path, AlignMode mode, const CropFormat& shape,
                      const ReadOptions& options, const std::filesystem::path& folder,
                      const std::string& remedy);

}  // namespace fer
