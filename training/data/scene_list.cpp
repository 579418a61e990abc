#include "data/scene_list.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "data/image_list.h"
#include "files/csv_reader.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// A CSV file whose columns are asked for by name.
class Table {
 public:
  explicit Table(const fs::path& path) : reader_(path) {
    const std::vector<std::string> header = reader_.header();
    for (std::size_t i = 0; i < header.size(); ++i) columns_[lower(header[i])] = i;
    header_line_ = reader_.where();
  }

  bool next() { return reader_.next(fields_); }
  bool has(const std::string& column) const { return columns_.count(column) > 0; }
  std::string where() const { return reader_.where(); }

  void require(const std::vector<std::string>& columns) const {
    std::string missing;
    for (const std::string& name : columns)
      if (!has(name)) missing += " " + name;
    if (!missing.empty())
      throw std::runtime_error(header_line_ + "the header lacks the columns" + missing);
  }

  std::string text(const std::string& column) const {
    return trimmed(fields_[columns_.at(column)]);
  }
  std::string text_or(const std::string& column, const std::string& otherwise) const {
    return has(column) ? text(column) : otherwise;
  }
  float number(const std::string& column) const {
    const std::string value = text(column);
    try {
      std::size_t used = 0;
      const float number = std::stof(value, &used);
      if (used == value.size() && std::isfinite(number)) return number;
    } catch (const std::exception&) {
    }
    throw std::runtime_error(where() + "expected a number in column \"" + column + "\", found \"" +
                             value + "\"");
  }
  /// Of a place in a photo.
  float pixels(const std::string& column) const {
    const float value = number(column);
    if (std::abs(value) < kLargestCoordinate) return value;
    throw std::runtime_error(where() + "expected a place in pixels in column \"" + column +
                             "\", found \"" + text(column) + "\"");
  }
  float number_or(const std::string& column, float otherwise) const {
    return has(column) ? number(column) : otherwise;
  }

 private:
  CsvReader reader_;
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> fields_;
  std::string header_line_;
};

constexpr const char* kPoints[] = {"right_eye", "left_eye", "nose", "right_mouth", "left_mouth"};

SceneFace face_of(const Table& table) {
  SceneFace face;
  face.x = table.pixels("x");
  face.y = table.pixels("y");
  face.width = table.pixels("w");
  face.height = table.pixels("h");
  face.score = table.number_or("score", 1);
  face.sure = table.number_or("sure", 1) != 0;
  for (std::size_t k = 0; k < 5; ++k) {
    face.points[2 * k] = table.pixels(std::string(kPoints[k]) + "_x");
    face.points[2 * k + 1] = table.pixels(std::string(kPoints[k]) + "_y");
  }
  if (!(face.width > 0 && face.height > 0))
    throw std::runtime_error(table.where() + "expected a width and a height above 0");
  if (!(face.score > 0 && face.score <= 1))
    throw std::runtime_error(table.where() + "expected a score above 0 and at most 1");
  return face;
}

}  // namespace

std::vector<SceneEntry> read_scene_list(const fs::path& path, const std::string& split) {
  const fs::path labels = fs::is_directory(path) ? path / "labels.csv" : path;
  const fs::path folder = labels.parent_path();
  const fs::path images = fs::is_directory(folder / "images") ? folder / "images" : folder;
  std::vector<SceneEntry> entries;
  std::map<std::string, std::size_t> places;
  Table photos(labels);
  photos.require({"image", "split"});
  while (photos.next()) {
    const std::string name = photos.text("image");
    if (name.empty()) throw std::runtime_error(photos.where() + "expected the name of an image");
    if (!places.emplace(name, entries.size()).second)
      throw std::runtime_error(photos.where() + name + " stands in an earlier line too");
    SceneEntry entry;
    entry.image = images / name;
    entry.split = canonical_split(photos.text("split"));
    entry.source = photos.text_or("source", "");
    for (const std::string& text : {entry.split, entry.source}) require_utf8(text, photos.where());
    entry.tempting = photos.number_or("dropped_false", 0) > 0;
    entries.push_back(std::move(entry));
  }
  Table faces(folder / "faces.csv");
  std::vector<std::string> needed{"image", "x", "y", "w", "h"};
  for (const char* point : kPoints) {
    needed.push_back(std::string(point) + "_x");
    needed.push_back(std::string(point) + "_y");
  }
  faces.require(needed);
  while (faces.next()) {
    const auto place = places.find(faces.text("image"));
    if (place == places.end()) {
      throw std::runtime_error(faces.where() + faces.text("image") + " does not stand in " +
                               labels.string());
    }
    entries[place->second].faces.push_back(face_of(faces));
  }
  if (!split.empty())
    std::erase_if(entries, [&](const SceneEntry& entry) { return entry.split != split; });
  if (entries.empty()) {
    throw std::runtime_error(labels.string() + ": it has no photos" +
                             (split.empty() ? "" : " of split \"" + split + "\""));
  }
  return entries;
}

}  // namespace fer
