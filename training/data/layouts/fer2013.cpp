#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
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
constexpr std::array<const char*, 7> kLabels{"anger",   "disgust",  "fear",   "happiness",
                                             "sadness", "surprise", "neutral"};

int column_of(const std::vector<std::string>& header, const std::string& name) {
  const auto it = std::find_if(header.begin(), header.end(),
                               [&](const std::string& h) { return lower(h) == name; });
  return it == header.end() ? -1 : static_cast<int>(it - header.begin());
}

/// The columns of a CSV; empty for what is none.
std::vector<std::string> header_of(const fs::path& path) {
  if (!fs::is_regular_file(path) || lower(path.extension().string()) != ".csv") return {};
  return CsvReader(path).header();
}

bool has_pixels(const fs::path& path) {
  return column_of(header_of(path), "pixels") >= 0;
}

bool has_votes(const fs::path& path) {
  const auto header = header_of(path);
  return column_of(header, "image name") >= 0 && !VoteColumns(header).empty();
}

std::vector<std::uint8_t> pixels_of(const std::string& text, const std::string& where) {
  std::vector<std::uint8_t> pixels;
  const char *at = text.data(), *const end = at + text.size();
  for (;;) {
    while (at != end && *at == ' ') ++at;
    if (at == end) break;
    int value = -1;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 0 || value > 255) {
      throw std::runtime_error(where + "expected pixels from 0 to 255, found \"" +
                               std::string(at, std::find(at, end, ' ')) + "\"");
    }
    pixels.push_back(static_cast<std::uint8_t>(value));
    at = next;
  }
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(pixels.size())));
  if (side < 2 || side * side != pixels.size()) {
    throw std::runtime_error(where + "expected the pixels of a square, found " +
                             std::to_string(pixels.size()));
  }
  return pixels;
}

/// The rows of fer2013.csv one by one.
class PixelReader {
 public:
  explicit PixelReader(const fs::path& path) : path_(path), reader_(path) {
    const auto header = reader_.header();
    pixels_ = column_of(header, "pixels");
    emotion_ = column_of(header, "emotion");
    usage_ = column_of(header, "usage");
  }

  /// False at the end. The entry's label is as FER2013 has it, an index into `labels`.
  bool next(ImageEntry& entry, const std::vector<std::string>& labels) {
    std::vector<std::string> fields;
    if (!reader_.next(fields)) return false;
    entry = {};
    // "FILE, line N: " without what divides it from a sentence.
    entry.image = where().substr(0, where().size() - 2);
    entry.pixels = pixels_of(fields[pixels_], where());
    entry.votes.assign(labels.size(), 0.f);
    if (usage_ >= 0) entry.split = canonical_split(trimmed(fields[usage_]));
    if (emotion_ < 0) return true;
    const std::string text = trimmed(fields[emotion_]);
    int number = -1;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
    if (end != text.data() + text.size() || number < 0 ||
        number >= static_cast<int>(kLabels.size())) {
      throw std::runtime_error(where() + "expected an emotion from 0 to 6, found \"" + text + "\"");
    }
    entry.label = index_of(labels, kLabels[static_cast<std::size_t>(number)]);
    return true;
  }

  std::string where() const { return reader_.where(); }

 private:
  const fs::path path_;
  CsvReader reader_;
  int pixels_ = -1, emotion_ = -1, usage_ = -1;
};

ImageList read_pixels(const fs::path& path) {
  ImageList list;
  list.layout = "FER2013";
  list.labels = ferplus_labels();
  PixelReader reader(path);
  for (ImageEntry entry; reader.next(entry, list.labels);) list.entries.push_back(std::move(entry));
  if (list.entries.empty())
    throw std::runtime_error(path.string() + ": expected rows below its header, found none");
  // Faces that nobody named are no less worth for learning without labels.
  const bool labelled = std::any_of(list.entries.begin(), list.entries.end(),
                                    [](const ImageEntry& entry) { return entry.label >= 0; });
  if (labelled) keep_occurring(list);
  one_vote_each(list);
  return list;
}

ImageList read_ferplus(const fs::path& votes, const fs::path& pixels) {
  if (!has_pixels(pixels)) {
    throw std::runtime_error(
        votes.string() + ": has FER+'s votes but no pixels; expected FER2013's " + pixels.string());
  }
  ImageList list;
  list.layout = "FER+";
  list.labels = ferplus_labels();
  CsvReader reader(votes);
  const auto header = reader.header();
  const VoteColumns columns(header);
  const int name = column_of(header, "image name"), usage = column_of(header, "usage");
  PixelReader faces(pixels);
  std::vector<std::string> fields;
  ImageEntry entry;
  while (reader.next(fields)) {
    if (!faces.next(entry, list.labels)) {
      throw std::runtime_error(reader.where() + "expected as many rows as " + pixels.string() +
                               " has, found more");
    }
    const std::string split = usage < 0 ? entry.split : canonical_split(trimmed(fields[usage]));
    if (split != entry.split) {
      throw std::runtime_error(reader.where() + "expected the rows of " + pixels.string() +
                               " in its order, found usage \"" + fields[usage] + "\" for \"" +
                               entry.split + "\"");
    }
    if (trimmed(fields[name]).empty()) {
      ++list.left_out;
      continue;
    }
    columns.read(fields, reader.where(), entry);
    list.entries.push_back(std::move(entry));
  }
  if (faces.next(entry, list.labels)) {
    throw std::runtime_error(faces.where() + "expected as many rows as " + votes.string() +
                             " has, found more");
  }
  if (list.entries.empty())
    throw std::runtime_error(votes.string() + ": expected rows below its header, found none");
  keep_labels(list, columns.labels());
  return list;
}

}  // namespace

std::optional<ImageList> read_fer2013(const fs::path& path) {
  if (fs::is_regular_file(path)) {
    if (has_pixels(path)) return read_pixels(path);
    if (has_votes(path)) return read_ferplus(path, path.parent_path() / "fer2013.csv");
    return std::nullopt;
  }
  for (const fs::path& folder : {path, path / "fer2013", path / "data"}) {
    if (has_votes(folder / "fer2013new.csv"))
      return read_ferplus(folder / "fer2013new.csv", folder / "fer2013.csv");
  }
  for (const fs::path& folder : {path, path / "fer2013"}) {
    for (const char* name : {"fer2013.csv", "icml_face_data.csv"})
      if (has_pixels(folder / name)) return read_pixels(folder / name);
  }
  return std::nullopt;
}

}  // namespace fer
