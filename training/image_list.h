// Which images a dataset has, and what people said of them: a CSV file or a folder a class.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fer {

struct ImageEntry {
  std::filesystem::path image;
  std::vector<float> votes;  ///< One a label of ImageList; all zero: not labelled.
  int label = -1;            ///< The one majority label; -1: none.
  std::string split;
  bool duplicate = false;
};

struct ImageList {
  std::vector<std::string> labels;
  std::vector<ImageEntry> entries;
  std::size_t unknown_labels = 0;  ///< Rows whose label names no expression that we know.
};

/// Reads a CSV with a header or a folder with one folder a class (or split/class).
///
/// CSV columns: `image` (a path relative to the CSV); `split` where there is one; either `label`, or one
/// column of votes a label (further columns `unknown` and `not_face` compete for the majority);
/// `duplicate`, not empty where the image stands elsewhere too. Labels may be any usual alias. The
/// labels of the result are FER+'s eight where it has votes for all of them or `all_labels`, else those
/// that occur, in FER+'s order.
/// Throws std::runtime_error: file, line, what was expected, what was found.
ImageList read_image_list(const std::filesystem::path& path);

}  // namespace fer
