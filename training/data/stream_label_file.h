// A file of labelled faces of the stream that a model adapts to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "learn/data/packed_dataset.h"
#include "model/model_info.h"

namespace fer {

/// A labelled row of a dataset.
struct StreamLabel {
  std::size_t row = 0;
  int label = 0;  ///< Index among the model's classes.
};

/// Rows of a split (empty: all) with a majority label that the model knows; at most `per_class` of
/// each class, drawn by the seed (0: all). Throws std::runtime_error where the crops are not what
/// the model takes, and where no row is left.
std::vector<StreamLabel> stream_labels(const PackedDataset& data, const std::string& split,
                                       int per_class, std::uint64_t seed, const ModelInfo& model);

/// Faces that a stream of images shows.
struct ShownFaces {
  const PackedDataset* data = nullptr;
  std::vector<std::size_t> rows;
};

/// Throws std::runtime_error where a labelled face is none of the streams': its crop must be one of
/// theirs, byte by byte.
void require_faces_of(const std::vector<ShownFaces>& streams, const PackedDataset& labels,
                      const std::vector<StreamLabel>& rows, const std::string& stream_names);

/// Throws std::runtime_error where a CSV has a column "stream" that names none of these inputs, by
/// path or by file name. For inputs whose faces cannot be compared with the labelled ones: videos.
void require_named_stream(const std::filesystem::path& csv, const std::vector<std::string>& inputs);

}  // namespace fer
