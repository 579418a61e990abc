#include "data/image_list.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "data/image_list_parts.h"
#include "data/layouts/layouts.h"
#include "files/csv_reader.h"
#include "files/file_kind.h"
#include "model/labels.h"
#include "util/join.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kExamples = 3;

void note_unknown(ImageList& list, const std::string& name) {
  ++list.unknown_labels;
  auto& examples = list.unknown_examples;
  if (examples.size() < kExamples &&
      std::find(examples.begin(), examples.end(), name) == examples.end())
    examples.push_back(name);
}

/// What the columns of a CSV are.
struct Columns {
  explicit Columns(const std::vector<std::string>& header) : votes(header) {}

  int image = -1, label = -1, split = -1, duplicate = -1, person = -1;
  VoteColumns votes;
};

Columns columns_of(const std::vector<std::string>& header, const std::string& where,
                   bool labelled) {
  Columns columns(header);
  const auto once = [&](int& column, int i) {
    if (column >= 0) {
      throw std::runtime_error(where + "columns \"" + header[column] + "\" and \"" + header[i] +
                               "\" say the same");
    }
    column = i;
  };
  for (int i = 0; i < static_cast<int>(header.size()); ++i) {
    const std::string name = lower(header[i]);
    if (name == "image" || name == "path" || name == "file")
      once(columns.image, i);
    else if (name == "label" || name == "emotion" || name == "expression")
      once(columns.label, i);
    else if (name == "split" || name == "usage")
      once(columns.split, i);
    else if (name == "duplicate")
      once(columns.duplicate, i);
    else if (name == "person")
      once(columns.person, i);
  }
  if (columns.image < 0 || (labelled && columns.label < 0 && columns.votes.empty())) {
    throw std::runtime_error(where + "expected a header with a column \"image\"" +
                             (labelled ? " and either \"label\" or one column of votes for each "
                                         "expression"
                                       : "") +
                             ", found: " + join(header));
  }
  return columns;
}

/// Where the columns that are to be kept stand.
std::vector<std::size_t> places_of(const std::vector<std::string>& wanted,
                                   const std::vector<std::string>& header,
                                   const std::string& where) {
  std::vector<std::size_t> places;
  for (const std::string& name : wanted) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) {
      throw std::runtime_error(where + "expected a column \"" + name +
                               "\", found: " + join(header));
    }
    places.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return places;
}

ImageList read_csv(const fs::path& path, bool labelled, const std::vector<std::string>& kept) {
  CsvReader reader(path);
  const std::vector<std::string> header = reader.header();
  std::vector<std::string> fields;
  const Columns columns = columns_of(header, reader.where(), labelled);
  const std::vector<std::size_t> places = places_of(kept, header, reader.where());

  ImageList list;
  list.labels = ferplus_labels();
  while (reader.next(fields)) {
    const std::string where = reader.where();
    ImageEntry entry;
    if (fields[columns.image].empty())
      throw std::runtime_error(where + "expected a path in column \"" + header[columns.image] +
                               "\", found nothing");
    entry.image = path.parent_path() / fields[columns.image];
    entry.votes.assign(list.labels.size(), 0.f);
    if (columns.split >= 0) {
      require_utf8(fields[columns.split], where);
      entry.split = canonical_split(trimmed(fields[columns.split]));
    }
    for (const std::size_t place : places) entry.columns.push_back(trimmed(fields[place]));
    if (columns.person >= 0) entry.person = trimmed(fields[columns.person]);
    if (columns.duplicate >= 0) entry.duplicate = !trimmed(fields[columns.duplicate]).empty();
    if (!columns.votes.empty()) {
      columns.votes.read(fields, where, entry);
    } else if (columns.label >= 0) {
      const std::string name = trimmed(fields[columns.label]);
      entry.label = index_of(list.labels, canonical_label(name));
      if (entry.label < 0 && !name.empty()) note_unknown(list, name);
    }
    list.entries.push_back(std::move(entry));
  }
  if (list.entries.empty())
    throw std::runtime_error(path.string() + ": expected rows below its header, found none");
  if (columns.votes.empty()) {
    if (labelled) keep_occurring(list);
    one_vote_each(list);
  } else {
    keep_labels(list, columns.votes.labels());
  }
  if (list.labels.empty()) {
    throw std::runtime_error(path.string() + ": no row has a label that names an expression" +
                             (list.unknown_examples.empty()
                                  ? std::string()
                                  : "; found, for example, \"" + list.unknown_examples[0] + "\""));
  }
  return list;
}

ImageList read_folder(const fs::path& root) {
  ImageList list;
  list.labels = ferplus_labels();
  for (const auto& file : fs::recursive_directory_iterator(root)) {
    if (!file.is_regular_file() || !is_image(file.path())) continue;
    // The innermost folder that is called after an expression is the class, the outermost one above
    // that the split.
    const fs::path folder = file.path().parent_path().lexically_relative(root);
    ImageEntry entry;
    entry.image = file.path();
    std::string outermost;
    for (const fs::path& part : folder) {
      const int k = index_of(list.labels, canonical_label(part.string()));
      if (k >= 0) {
        entry.label = k;
        entry.split = outermost;
      }
      if (outermost.empty() && part != ".") outermost = canonical_split(part.string());
    }
    if (entry.label < 0) {
      note_unknown(list, folder == "." ? root.filename().string() : folder.filename().string());
      continue;
    }
    list.entries.push_back(std::move(entry));
  }
  if (list.entries.empty()) {
    throw std::runtime_error(
        root.string() +
        ": expected a folder for each expression (happiness, sad, …, also below "
        "train/, valid/, test/) with images in it, found none");
  }
  std::sort(list.entries.begin(), list.entries.end(),
            [](const auto& a, const auto& b) { return a.image < b.image; });
  keep_occurring(list);
  one_vote_each(list);
  return list;
}

/// 64-bit FNV-1a.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3u;
  return hash;
}

/// Makes a split valid where there is none to choose a model by.
void hold_out(ImageList& list, const fs::path& root) {
  bool any = false, train = false, valid = false;
  for (const ImageEntry& entry : list.entries) {
    any = any || !entry.split.empty();
    train = train || entry.split == "train";
    valid = valid || entry.split == "valid";
  }
  if (valid || (any && !train)) return;
  std::map<int, std::vector<std::pair<std::uint64_t, ImageEntry*>>> classes;
  for (ImageEntry& entry : list.entries) {
    if (any && entry.split != "train") continue;
    entry.split = "train";
    if (entry.label < 0) continue;
    const std::string name = entry.image.lexically_relative(root).generic_string();
    classes[entry.label].emplace_back(hash_of(name), &entry);
  }
  for (auto& [label, entries] : classes) {
    if (entries.size() < 2) continue;
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return std::pair(a.first, a.second->image) < std::pair(b.first, b.second->image);
    });
    entries.resize(std::max<std::size_t>(1, (entries.size() + 5) / 10));
    for (auto& [hash, entry] : entries) entry->split = "valid";
    list.held_out += entries.size();
  }
}

}  // namespace

std::string canonical_split(const std::string& name) {
  static const std::map<std::string, std::string> aliases{
      {"train", "train"},      {"training", "train"},  {"valid", "valid"}, {"val", "valid"},
      {"validation", "valid"}, {"dev", "valid"},       {"test", "test"},   {"testing", "test"},
      {"publictest", "valid"}, {"privatetest", "test"}};
  const auto it = aliases.find(lower(name));
  return it == aliases.end() ? name : it->second;
}

ImageList read_image_list(const fs::path& path, const std::string& split, bool labelled,
                          const std::vector<std::string>& columns) {
  if (!fs::exists(path)) throw std::runtime_error(path.string() + ": no such file or folder");
  const bool folder = fs::is_directory(path);
  std::optional<ImageList> known = read_known_layout(path);
  if (!columns.empty() && (known || folder)) {
    throw std::runtime_error(path.string() + ": expected a CSV with a column \"" + columns[0] +
                             "\", found " + (known ? known->layout : "a folder") +
                             ", which has no columns");
  }
  ImageList list = known    ? std::move(*known)
                   : folder ? read_folder(path)
                            : read_csv(path, labelled, columns);
  if (labelled) hold_out(list, folder ? path : path.parent_path());
  if (split.empty()) return list;
  std::set<std::string> splits;
  for (const ImageEntry& entry : list.entries) splits.insert(entry.split);
  const std::string wanted = canonical_split(split);
  if (!splits.contains(wanted)) {
    std::string known;
    for (const std::string& name : splits) known += (known.empty() ? "\"" : ", \"") + name + "\"";
    throw std::runtime_error(path.string() + ": it has no split \"" + split + "\"; it has " +
                             known);
  }
  std::erase_if(list.entries, [&](const ImageEntry& entry) { return entry.split != wanted; });
  return list;
}

}  // namespace fer
