#include <array>
#include <charconv>
#include <fstream>
#include <stdexcept>

#include "data/image_list_parts.h"
#include "data/layouts/layouts.h"
#include "files/csv_reader.h"
#include "model/labels.h"
#include "util/read_file.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// By its numbers, from 1.
constexpr std::array<const char*, 7> kLabels{"surprise", "fear",  "disgust", "happiness",
                                             "sadness",  "anger", "neutral"};

/// The list of labels; empty where there is none. Its owners spell it "patition".
fs::path find_list(const fs::path& root) {
  for (const char* folder : {"EmoLabel", "basic/EmoLabel", "."})
    for (const char* name : {"list_patition_label.txt", "list_partition_label.txt"})
      if (fs::exists(root / folder / name)) return root / folder / name;
  return {};
}

}  // namespace

std::optional<ImageList> read_raf_db(const fs::path& path) {
  if (!fs::is_directory(path)) return std::nullopt;
  const fs::path labels = find_list(path);
  if (labels.empty()) return std::nullopt;
  const bool apart = labels.parent_path().filename() == "EmoLabel";
  const fs::path images = (apart ? labels.parent_path().parent_path() : path) / "Image";
  // The aligned picture holds the face that was labelled and no other.
  const bool aligned = fs::is_directory(images / "aligned");
  if (!aligned && !fs::is_directory(images / "original")) {
    throw std::runtime_error(labels.string() + ": expected the images of RAF-DB in " +
                             (images / "aligned").string() + " or " +
                             (images / "original").string() + ", found neither");
  }
  ImageList list;
  list.layout = "RAF-DB";
  list.labels = ferplus_labels();
  require_regular_file(labels);
  std::ifstream in(labels);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty()) continue;
    const auto space = line.find(' ');
    const std::string name = line.substr(0, space);
    const std::string label = space == std::string::npos ? "" : trimmed(line.substr(space));
    const bool train = name.rfind("train", 0) == 0;
    int k = 0;
    const auto end = std::from_chars(label.data(), label.data() + label.size(), k).ptr;
    if ((!train && name.rfind("test", 0) != 0) || end != label.data() + label.size() || k < 1 ||
        k > static_cast<int>(kLabels.size())) {
      throw std::runtime_error(labels.string() + ", line " + std::to_string(number) +
                               ": expected train_NUMBER.jpg or test_NUMBER.jpg and a label from 1 "
                               "to 7, found \"" +
                               line + "\"");
    }
    ImageEntry entry;
    const fs::path file = name;
    entry.image = aligned ? images / "aligned" /
                                (file.stem().string() + "_aligned" + file.extension().string())
                          : images / "original" / file;
    entry.votes.assign(list.labels.size(), 0.f);
    entry.label = index_of(list.labels, kLabels[static_cast<std::size_t>(k - 1)]);
    entry.split = train ? "train" : "test";
    list.entries.push_back(std::move(entry));
  }
  if (list.entries.empty())
    throw std::runtime_error(labels.string() + ": expected a line an image, found none");
  keep_occurring(list);
  one_vote_each(list);
  return list;
}

}  // namespace fer
