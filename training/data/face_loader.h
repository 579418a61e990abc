// From image files to the face crops that a network sees, by the elements' own detector and
// alignment.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "data/data_source.h"
#include "data/image_list.h"
#include "vision/align.h"
#include "vision/detector.h"

namespace fer {

/// Loads images as crops. Not thread-safe.
class FaceLoader {
 public:
  /// Throws std::runtime_error where kAlways finds no detector with landmarks.
  FaceLoader(AlignMode mode, const CropFormat& shape);

  struct Crop {
    cv::Mat image;  ///< side x side, 8UC1 or 8UC3 (RGB).
    bool aligned = false;
  };
  /// nullopt where the file is no image that can be decoded.
  std::optional<Crop> load(const std::filesystem::path& image);
  /// Of an entry of a list, whose pixels may stand in the list itself.
  std::optional<Crop> load(const ImageEntry& entry);

  /// False where whole images are all that there will be.
  bool aligns() const { return detector_ != nullptr; }

 private:
  Crop crop_of(cv::Mat image);

  CropSpec spec_;
  std::unique_ptr<Detector> detector_;
};

/// How crops of this shape are cut.
CropSpec crop_spec_of(const CropFormat& shape);

/// All entries of `list` (read from `path`) as rows, with a progress bar and warnings on stderr:
/// unreadable images, unknown labels, images held out.
///
/// Throws std::runtime_error where no detector is found (kAlways) or more than
/// `options.max_unreadable` of the images are unreadable; Interrupted.
FaceRows read_faces(const std::filesystem::path& path, const ImageList& list, AlignMode mode,
                    const CropFormat& shape, const ReadOptions& options);

}  // namespace fer
