// From image files to the face crops that a network sees, by the elements' own detector and alignment.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "image_list.h"
#include "learn/packed_dataset.h"
#include "vision/align.h"
#include "vision/detector.h"

namespace fer {

/// When a face is looked for and aligned.
enum class AlignMode {
  kAuto,    ///< As kAlways, where a detector with landmarks is at hand; else as kNever.
  kAlways,  ///< Aligned on the best face; the whole image where none is found.
  kNever,   ///< The whole image, scaled.
};

/// Loads images as crops. Not thread-safe.
class FaceLoader {
 public:
  /// Throws std::runtime_error where kAlways finds no detector with landmarks.
  FaceLoader(AlignMode mode, const CropSpec& spec);

  struct Crop {
    cv::Mat image;  ///< 8UC1 or 8UC3 (RGB), spec's shape.
    bool aligned = false;
  };
  /// nullopt where the file is no image that can be decoded.
  std::optional<Crop> load(const std::filesystem::path& image);

  bool aligns() const { return detector_ != nullptr; }

 private:
  const CropSpec spec_;
  std::unique_ptr<Detector> detector_;
};

/// All entries of a list as packed rows. Images that cannot be read are left out and counted in
/// `unreadable`.
std::vector<PackedRow> load_rows(const ImageList& list, FaceLoader& loader, PackedInfo& info,
                                 const std::function<void(std::size_t done)>& on_progress,
                                 std::size_t& unreadable);

/// Opens a packed dataset, or packs a CSV or folder into a temporary one first, with a progress bar.
class DataSource {
 public:
  DataSource(const std::filesystem::path& path, AlignMode mode, const CropSpec& spec);
  ~DataSource();
  const PackedDataset& data() const { return *data_; }
  /// The packed file that is mapped.
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool temporary_ = false;
  std::unique_ptr<PackedDataset> data_;
};

}  // namespace fer
