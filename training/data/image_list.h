// Which images a dataset has, and what people said of them: a CSV file, a folder a class, or one of
// the layouts in which others hand out theirs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fer {

struct ImageEntry {
  std::filesystem::path image;       ///< With `pixels` only a name: the file and its line.
  std::vector<std::uint8_t> pixels;  ///< Grey, a square; empty: `image` is to be decoded.
  std::vector<float> votes;          ///< One a label of ImageList; all zero: not labelled.
  int label = -1;                    ///< The one majority label; -1: none.
  std::string split;
  bool duplicate = false;
  std::string person;                ///< Who it shows; empty: not known.
  std::vector<std::string> columns;  ///< The columns of the CSV that were asked for.
};

struct ImageList {
  std::vector<std::string> labels;  ///< In FER+'s order.
  std::vector<ImageEntry> entries;
  std::string layout;        ///< "RAF-DB", …; empty: a CSV or folders as they come.
  std::size_t left_out = 0;  ///< Images that the dataset's owners say show no expression of ours.
  std::size_t unknown_labels = 0;  ///< Images whose label names no expression that we know.
  std::vector<std::string> unknown_examples;  ///< The first few of those labels.
  std::size_t held_out = 0;  ///< Images that we put into split valid, since there was none.
};

/// Reads a CSV with a header, a folder with one folder a class (also below a folder a split), or
/// one of the datasets that read_known_layout() knows.
///
/// CSV columns, in any order and case: `image` (or `path`, `file`), relative to the CSV; either one
/// column of votes for each of at least two expressions (`unknown` and `not_face` compete for the
/// majority), or `label` (or `emotion`, `expression`); optionally `split` (or `usage`),
/// `duplicate` (not empty where the same pixels stand in another row) and `person` (a name).
/// Further columns are ignored. Expressions may go by any usual alias (canonical_label), splits too
/// (canonical_split). The result has a label for each column of votes, else for each label that
/// occurs.
///
/// Where no image has a split, or there is a split train but none that is called valid, every tenth
/// of the images (of train), class by class and by a hash of their names, becomes split valid; the
/// rest is train.
///
/// With `split`, only its entries are kept. Where `labelled` is false, a CSV needs no labels, has
/// FER+'s eight whatever occurs, and nothing is put into split valid. `columns`: further columns of
/// the CSV whose texts are kept, by their names. Throws std::runtime_error: file, line, what was
/// expected, what was found.
ImageList read_image_list(const std::filesystem::path& path, const std::string& split = "",
                          bool labelled = true, const std::vector<std::string>& columns = {});

/// "train", "valid" or "test" for their usual aliases in any case ("training", "val",
/// "validation", "dev", "PublicTest", …); any other name as it is.
std::string canonical_split(const std::string& name);

}  // namespace fer
