#include "image_list.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "model/labels.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// One record of RFC 4180: quotes, doubled quotes, line breaks inside quotes. False at the end.
bool read_record(std::istream& in, std::vector<std::string>& fields, int& line) {
  fields.assign(1, "");
  bool quoted = false, any = false;
  for (int c; (c = in.get()) != EOF;) {
    any = true;
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        fields.back() += static_cast<char>(c);
      } else if (in.peek() == '"') {
        fields.back() += static_cast<char>(in.get());
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      fields.back() += static_cast<char>(c);
    }
  }
  return any;
}

/// The index of the largest value; -1 where several share it or all are zero.
int single_majority(const std::vector<float>& votes) {
  const auto top = std::max_element(votes.begin(), votes.end());
  if (top == votes.end() || *top <= 0 || std::count(votes.begin(), votes.end(), *top) != 1) return -1;
  return static_cast<int>(top - votes.begin());
}

/// Keeps the labels that occur, for lists that name one label an image.
void keep_occurring(ImageList& list) {
  std::vector<std::string> kept;
  std::vector<int> map(list.labels.size(), -1);
  for (std::size_t k = 0; k < list.labels.size(); ++k) {
    const bool occurs = std::any_of(list.entries.begin(), list.entries.end(), [&](const auto& e) {
      return e.label == static_cast<int>(k);
    });
    if (!occurs) continue;
    map[k] = static_cast<int>(kept.size());
    kept.push_back(list.labels[k]);
  }
  list.labels = kept;
  for (ImageEntry& entry : list.entries) {
    if (entry.label >= 0) entry.label = map[entry.label];
    entry.votes.assign(kept.size(), 0.f);
    if (entry.label >= 0) entry.votes[entry.label] = 1;
  }
}

int index_of(const std::vector<std::string>& labels, const std::optional<std::string>& label) {
  if (!label) return -1;
  const auto it = std::find(labels.begin(), labels.end(), *label);
  return it == labels.end() ? -1 : static_cast<int>(it - labels.begin());
}

ImageList read_csv(const fs::path& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error(path.string() + ": cannot be opened");
  int line = 1;
  std::vector<std::string> header, fields;
  read_record(in, header, line);
  if (!header.empty() && header[0].rfind("\xef\xbb\xbf", 0) == 0) header[0].erase(0, 3);

  ImageList list;
  list.labels = ferplus_labels();
  int image = -1, label = -1, split = -1, duplicate = -1;
  std::map<int, int> votes;      // column → label
  std::vector<int> other_votes;  // columns that compete for the majority, but are no expression
  for (int i = 0; i < static_cast<int>(header.size()); ++i) {
    const std::string& name = header[i];
    if (name == "image" || name == "path" || name == "file") image = i;
    else if (name == "label" || name == "emotion" || name == "expression") label = i;
    else if (name == "split" || name == "usage") split = i;
    else if (name == "duplicate") duplicate = i;
    else if (name == "unknown" || name == "not_face") other_votes.push_back(i);
    else if (const int k = index_of(list.labels, canonical_label(name)); k >= 0) votes[i] = k;
  }
  if (image < 0 || (label < 0 && votes.size() < 2)) {
    throw std::runtime_error(path.string() +
                             ": expected a header with a column \"image\" and either \"label\" or "
                             "one column of votes for each expression");
  }
  while (read_record(in, fields, line)) {
    if (fields.size() == 1 && fields[0].empty()) continue;
    const std::string where = path.string() + ", line " + std::to_string(line - 1) + ": ";
    if (fields.size() != header.size()) {
      throw std::runtime_error(where + "expected " + std::to_string(header.size()) +
                               " fields, found " + std::to_string(fields.size()));
    }
    ImageEntry entry;
    entry.image = path.parent_path() / fields[image];
    entry.votes.assign(list.labels.size(), 0.f);
    if (split >= 0) entry.split = fields[split];
    if (duplicate >= 0) entry.duplicate = !fields[duplicate].empty();
    if (!votes.empty()) {
      auto number = [&](int column) {
        try {
          const float value = std::stof(fields[column]);
          if (value >= 0 && value < 1e6f) return value;
        } catch (const std::exception&) {
        }
        throw std::runtime_error(where + "expected a count of votes in column \"" + header[column] +
                                 "\", found \"" + fields[column] + "\"");
      };
      for (const auto& [column, k] : votes) entry.votes[k] += number(column);
      std::vector<float> all = entry.votes;
      for (int column : other_votes) all.push_back(number(column));
      const int top = single_majority(all);
      entry.label = top < static_cast<int>(list.labels.size()) ? top : -1;
    } else {
      entry.label = index_of(list.labels, canonical_label(fields[label]));
      if (entry.label < 0 && !fields[label].empty()) ++list.unknown_labels;
    }
    list.entries.push_back(std::move(entry));
  }
  if (votes.empty()) keep_occurring(list);
  return list;
}

bool is_image(const fs::path& path) {
  std::string ext = path.extension().string();
  std::transform(ext.begin(), ext.end(), ext.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::set<std::string>{".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm"}
      .contains(ext);
}

ImageList read_folder(const fs::path& root) {
  ImageList list;
  list.labels = ferplus_labels();
  for (const auto& file : fs::recursive_directory_iterator(root)) {
    if (!file.is_regular_file() || !is_image(file.path())) continue;
    const fs::path folder = fs::relative(file.path().parent_path(), root);
    ImageEntry entry;
    entry.image = file.path();
    entry.label = index_of(list.labels, canonical_label(folder.filename().string()));
    if (entry.label < 0) {
      ++list.unknown_labels;
      continue;
    }
    if (folder.has_parent_path()) entry.split = folder.parent_path().begin()->string();
    list.entries.push_back(std::move(entry));
  }
  if (list.entries.empty()) {
    throw std::runtime_error(root.string() +
                             ": expected a folder for each expression (happiness, sad, …, also below "
                             "train/, valid/, test/) with images in it, found none");
  }
  std::sort(list.entries.begin(), list.entries.end(),
            [](const auto& a, const auto& b) { return a.image < b.image; });
  keep_occurring(list);
  return list;
}

}  // namespace

ImageList read_image_list(const fs::path& path) {
  if (!fs::exists(path)) throw std::runtime_error(path.string() + ": no such file or folder");
  return fs::is_directory(path) ? read_folder(path) : read_csv(path);
}

}  // namespace fer
