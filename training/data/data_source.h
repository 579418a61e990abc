// A dataset as the commands see it: packed already, or read from images on the way.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "learn/data/packed_dataset.h"

namespace fer {

/// When a face is looked for and aligned.
enum class AlignMode {
  kAuto,    ///< As kAlways, where a detector with landmarks is at hand; else as kNever.
  kAlways,  ///< Aligned on the best face; the whole image where none is found.
  kNever,   ///< The whole image, scaled.
};

/// What to read of data that is not packed, and how much of it may be broken.
struct ReadOptions {
  std::string split;             ///< Read this split only; empty: all.
  double max_unreadable = 0.05;  ///< A larger share of unreadable images is an error.
  double video_every = 1;        ///< Seconds between two faces taken of one track of a video.
  int video_max = 20;            ///< Faces taken of one track at most.
  bool labelled = true;          ///< False: a CSV needs no labels; see read_image_list().
  std::vector<std::string> columns =
      {};  ///< Further columns of a CSV to keep; see read_image_list().
};

/// A dataset decoded in memory, on its way to a packed file.
struct FaceRows {
  PackedInfo info;
  std::vector<PackedRow> rows;
  std::size_t unreadable = 0;  ///< Images that could not be decoded and are left out.
};

/// Bytes that `count` rows of this shape take as a packed file.
double packed_bytes(std::size_t count, const CropFormat& shape, std::size_t labels);

/// True for what DataSource would read image by image: a folder, or a file that ends in .csv.
bool is_image_list(const std::filesystem::path& path);

/// Opens a packed dataset, or packs a CSV, a folder or a video's faces into a temporary one first
/// (under TMPDIR, and gone from there as soon as it is mapped), with a progress bar and warnings on
/// stderr.
class DataSource {
 public:
  /// Throws std::runtime_error: file, line, what was expected; Interrupted.
  DataSource(const std::filesystem::path& path, AlignMode mode, const CropFormat& shape,
             const ReadOptions& options = {});

  const PackedDataset& data() const { return *data_; }
  /// True where the dataset was packed before: its shape is its own, not the one asked for.
  bool was_packed() const { return was_packed_; }
  std::size_t unreadable() const { return unreadable_; }

 private:
  std::unique_ptr<PackedDataset> data_;
  bool was_packed_ = true;
  std::size_t unreadable_ = 0;
};

}  // namespace fer
