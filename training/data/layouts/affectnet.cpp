#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <vector>

#include "data/image_list_parts.h"
#include "data/layouts/layouts.h"
#include "files/csv_reader.h"
#include "model/labels.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// By its numbers, from 0.
constexpr std::array<const char*, 8> kLabels{"neutral", "happiness", "sadness", "surprise",
                                             "fear",    "disgust",   "anger",   "contempt"};
constexpr int kLast = 10;  ///< 8 to 10 are none, uncertain and no face.

/// The columns of its lists, where they have no header.
const std::vector<std::string>& column_names() {
  static const std::vector<std::string> names{
      "subDirectory_filePath", "face_x",     "face_y",  "face_width", "face_height",
      "facial_landmarks",      "expression", "valence", "arousal"};
  return names;
}

ImageList new_list() {
  ImageList list;
  list.layout = "AffectNet";
  list.labels = ferplus_labels();
  return list;
}

/// Adds the image under AffectNet's number, or counts it as left out.
void add(ImageList& list, const fs::path& image, int number, const std::string& split) {
  if (number >= static_cast<int>(kLabels.size())) {
    ++list.left_out;
    return;
  }
  ImageEntry entry;
  entry.image = image;
  entry.votes.assign(list.labels.size(), 0.f);
  entry.label = index_of(list.labels, kLabels[static_cast<std::size_t>(number)]);
  entry.split = split;
  list.entries.push_back(std::move(entry));
}

void read_set(ImageList& list, const fs::path& set, const std::string& split) {
  std::vector<fs::path> images;
  for (const auto& file : fs::directory_iterator(set / "images")) {
    const std::string ending = lower(file.path().extension().string());
    if (ending == ".jpg" || ending == ".jpeg" || ending == ".png") images.push_back(file.path());
  }
  std::sort(images.begin(), images.end());
  for (const fs::path& image : images) {
    const fs::path annotation = set / "annotations" / (image.stem().string() + "_exp.npy");
    const double number = read_npy_number(annotation);
    const int label = static_cast<int>(number);
    if (!(number >= 0 && number <= kLast) || label != number) {
      throw std::runtime_error(annotation.string() +
                               ": expected an expression from 0 to 10, found " +
                               std::to_string(number));
    }
    add(list, image, label, split);
  }
}

/// `images`: what the paths in the list begin at.
void read_file_list(ImageList& list, const fs::path& csv, const fs::path& images,
                    const std::string& split) {
  CsvReader reader(csv);
  std::vector<std::string> header = reader.header();
  std::vector<std::string> fields;
  const bool named = std::find(header.begin(), header.end(), column_names()[0]) != header.end();
  bool more = true;
  if (named) {
    more = reader.next(fields);
  } else {
    fields = header;
    header = column_names();
  }
  const auto column = [&](const char* name) {
    const auto it = std::find(header.begin(), header.end(), name);
    if (it == header.end())
      throw std::runtime_error(csv.string() + ": expected a column \"" + name + "\", found none");
    return static_cast<std::size_t>(it - header.begin());
  };
  const std::size_t image = column("subDirectory_filePath"), expression = column("expression");
  for (; more; more = reader.next(fields)) {
    if (fields.size() != header.size()) {
      throw std::runtime_error(reader.where() + "expected " + std::to_string(header.size()) +
                               " fields, found " + std::to_string(fields.size()));
    }
    const std::string text = trimmed(fields[expression]);
    int number = -1;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
    if (end != text.data() + text.size() || number < 0 || number > kLast || fields[image].empty()) {
      throw std::runtime_error(reader.where() +
                               "expected an image and an expression from 0 to 10, found \"" +
                               fields[image] + "\" and \"" + fields[expression] + "\"");
    }
    add(list, images / fields[image], number, split);
  }
}

fs::path first_folder(const std::vector<fs::path>& candidates) {
  for (const fs::path& folder : candidates)
    if (fs::is_directory(folder)) return folder;
  return candidates.back();
}

fs::path images_of(const fs::path& root) {
  return first_folder({root / "Manually_Annotated_Images",
                       root / "Manually_Annotated" / "Manually_Annotated_Images",
                       root / "Manually_Annotated", root});
}

/// Reads training.csv and validation.csv of a folder; false where there are none.
bool read_file_lists(ImageList& list, const fs::path& root) {
  for (const fs::path& folder : {root / "Manually_Annotated_file_lists",
                                 root / "Manually_Annotated" / "Manually_Annotated_file_lists",
                                 root / "Manually_Annotated", root}) {
    if (!fs::exists(folder / "training.csv") && !fs::exists(folder / "validation.csv")) continue;
    for (const auto& [name, split] :
         {std::pair{"training.csv", "train"}, {"validation.csv", "valid"}})
      if (fs::exists(folder / name)) read_file_list(list, folder / name, images_of(root), split);
    return true;
  }
  return false;
}

/// True for a CSV whose first record is AffectNet's.
bool is_file_list(const fs::path& csv) {
  if (!fs::is_regular_file(csv) || lower(csv.extension().string()) != ".csv") return false;
  const std::vector<std::string> first = CsvReader(csv).header();
  if (std::find(first.begin(), first.end(), column_names()[0]) != first.end()) return true;
  const bool path_first = first[0].find('/') != std::string::npos;
  return first.size() == column_names().size() && path_first &&
         first[5].find(';') != std::string::npos;  // the landmarks
}

}  // namespace

std::optional<ImageList> read_affectnet(const fs::path& path) {
  ImageList list = new_list();
  bool found = false;
  if (is_file_list(path)) {
    found = true;
    const fs::path folder = path.parent_path();
    const bool apart = folder.filename() == "Manually_Annotated_file_lists";
    read_file_list(list, path, images_of(apart ? folder.parent_path() : folder),
                   canonical_split(path.stem().string()));
  } else if (fs::is_directory(path)) {
    for (const auto& [set, split] :
         {std::pair{"train_set", "train"}, {"val_set", "valid"}, {"test_set", "test"}}) {
      if (!fs::is_directory(path / set / "annotations") || !fs::is_directory(path / set / "images"))
        continue;
      found = true;
      read_set(list, path / set, split);
    }
    const bool lists = fs::is_directory(path / "Manually_Annotated_file_lists") ||
                       fs::is_directory(path / "Manually_Annotated") ||
                       is_file_list(path / "training.csv") || is_file_list(path / "validation.csv");
    if (!found && lists) found = read_file_lists(list, path);
  }
  if (!found) return std::nullopt;
  if (list.entries.empty())
    throw std::runtime_error(path.string() + ": expected images of AffectNet, found none");
  keep_occurring(list);
  one_vote_each(list);
  return list;
}

}  // namespace fer
