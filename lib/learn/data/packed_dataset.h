// A packed dataset: face crops, decoded and aligned once, with their labels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "export.h"
#include "model/crop_format.h"
#include "model/network_config.h"
#include "model/safetensors.h"

namespace fer {

class BlockChecksums;

/// One row to be written to a packed dataset.
struct PackedRow {
  std::vector<std::uint8_t> crop;  ///< channels x side x side.
  std::vector<float> votes;        ///< Per label; all zero: not labelled.
  int label = -1;                  ///< The majority label; -1: none (a tie, "unknown", no face).
  std::uint8_t split = 0;          ///< Index into PackedInfo::splits.
  bool duplicate = false;          ///< Another row of the source has the same pixels.
  bool aligned = false;      ///< True: a face was found and aligned; false: the image was scaled.
  std::int64_t person = -1;  ///< Number of the person shown; -1: not known.
  std::string image;         ///< Name of the image, relative to its dataset; empty: not known.
  std::vector<std::string> columns;  ///< One text per PackedInfo::columns.
};

/// Metadata of a packed dataset.
struct PackedInfo {
  CropFormat crops;
  std::vector<std::string> labels;
  std::vector<std::string> splits;
  std::string source;  ///< For people: where the rows came from.
  /// Names of further columns that each row has a text for: age, camera, …
  std::vector<std::string> columns;
};

/// Throws std::runtime_error where a network does not take the dataset's crops, or where `classes`
/// is true and the network's classes are not as many as the dataset's labels.
void require_fit(const NetworkConfig& network, const PackedInfo& data, bool classes = true);

/// What a packed dataset holds beside its rows: further tensors and metadata.
struct PackedExtras {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

/// Writes a packed dataset (a safetensors file with block_checksums.h) atomically. Throws
/// std::invalid_argument where there are no rows or one does not have the shape or columns that
/// `info` says, std::runtime_error where the file cannot be written.
FER_API void write_packed(const std::filesystem::path& path, const PackedInfo& info,
                          const std::vector<PackedRow>& rows, const PackedExtras& extras = {});

/// A packed dataset, memory-mapped: rows are read from the page cache on demand. Whatever is read
/// is compared with the file's checksums first: then crop(), row() and need() throw
/// std::runtime_error where it is not what was written, or the file has become shorter. Files of
/// earlier versions have no checksums.
class FER_API PackedDataset {
 public:
  /// `name` stands for the path in later messages, where the file is only a temporary one. Throws
  /// std::runtime_error: file, what was expected, what was found.
  explicit PackedDataset(const std::filesystem::path& path, std::string name = {});
  ~PackedDataset();

  const PackedInfo& info() const { return info_; }
  /// The file, for what stands there beside the rows.
  const SafetensorsFile& file() const { return *file_; }
  /// To be called before these bytes of a tensor of file() are read.
  void need(const void* data, std::size_t bytes) const;
  bool has_checksums() const;
  /// A copy of a row.
  PackedRow row(std::size_t row) const;
  /// The dataset's name in messages.
  const std::string& name() const { return name_; }
  std::size_t size() const { return size_; }
  std::span<const std::uint8_t> crop(std::size_t row) const;
  std::span<const float> votes(std::size_t row) const;
  int label(std::size_t row) const;
  bool duplicate(std::size_t row) const;
  bool aligned(std::size_t row) const;
  const std::string& split(std::size_t row) const;
  /// The row's person; -1: not known.
  std::int64_t person(std::size_t row) const;
  /// Empty where it is not known, as in files that carry no names.
  std::string_view image(std::size_t row) const;
  /// The place of a column in info().columns. Throws std::runtime_error that names the columns and
  /// says how to get others, where there is none of this name.
  std::size_t column(const std::string& name) const;
  /// The text of a row in info().columns[column].
  std::string_view text(std::size_t column, std::size_t row) const;
  /// Rows of a split; all rows for an empty name. Throws std::runtime_error that lists the splits.
  std::vector<std::size_t> rows(const std::string& split) const;

 private:
  std::unique_ptr<SafetensorsFile> file_;
  std::unique_ptr<const BlockChecksums> checksums_;
  const std::string name_;
  PackedInfo info_;
  std::size_t size_ = 0;
  const std::uint8_t* crops_ = nullptr;
  const float* votes_ = nullptr;
  const std::int64_t* labels_ = nullptr;
  const std::uint8_t *splits_ = nullptr, *duplicates_ = nullptr, *aligned_ = nullptr;
  const std::int64_t* persons_ = nullptr;  ///< Null where the file has none.
  /// A text per row, one after the other in the file.
  struct Texts {
    const char* bytes = nullptr;
    const std::int64_t* ends = nullptr;  ///< Where each row's text ends; null: no row has one.
  };
  static std::string_view text_of(const Texts& texts, std::size_t row);
  Texts texts_of(const std::string& name) const;

  Texts images_;
  std::vector<Texts> columns_;  ///< One per info_.columns.
};

}  // namespace fer
