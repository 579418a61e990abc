#include "evaluation/prediction_csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>
#include <stdexcept>
#include <unordered_map>

#include "evaluation/class_names.h"
#include "files/csv_reader.h"
#include "model/atomic_file.h"
#include "util/join.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// Digits enough to read the same float again.
std::string number_text(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  return text;
}

/// What the columns of a file of predictions are.
struct Columns {
  std::size_t image = 0, truth = 0;
  std::optional<std::size_t> person;
  std::vector<std::size_t> probabilities;
  std::vector<std::string> classes;
};

Columns columns_of(const std::vector<std::string>& header, const std::string& where) {
  const auto find = [&](const char* name) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < header.size(); ++i)
      if (lower(header[i]) == name) return i;
    return std::nullopt;
  };
  Columns columns;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (!canonical_label(header[i])) continue;
    columns.probabilities.push_back(i);
    columns.classes.push_back(header[i]);
  }
  const auto image = find("image"), truth = find("truth");
  if (!image || !truth || columns.classes.size() < 2) {
    throw std::runtime_error(where +
                             "expected columns \"image\" and \"truth\" and one of probabilities "
                             "for each of at least two expressions, found: " +
                             join(header));
  }
  columns.image = *image;
  columns.truth = *truth;
  columns.person = find("person");
  return columns;
}

float probability_of(const std::string& field, const std::string& column,
                     const std::string& where) {
  const std::string text = trimmed(field);
  float value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 1)
    return value;
  throw std::runtime_error(where + "expected a probability from 0 to 1 in column \"" + column +
                           "\", found \"" + field + "\"");
}

}  // namespace

void write_predictions(const fs::path& path, const Predictions& predictions) {
  const bool persons = knows_persons(predictions);
  AtomicFile file(path);
  std::string line = "image,truth";
  const auto add = [&line](const std::string& field) { (line += ',') += field; };
  for (const std::string& name : predictions.classes) add(csv_field(name));
  line += persons ? ",predicted,person\n" : ",predicted\n";
  file.append(line);
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (predictions.images[i].empty()) {
      throw std::runtime_error(path.string() +
                               ": predictions need the names of the images, and the data does not "
                               "carry them; evaluate on the images themselves, or pack them anew");
    }
    const auto name_of = [&](int k) -> const std::string& {
      return predictions.classes[static_cast<std::size_t>(k)];
    };
    line = csv_field(predictions.images[i]);
    add(csv_field(name_of(predictions.truth[i])));
    for (const float p : predictions.row(i)) add(number_text(p));
    add(csv_field(name_of(predictions.predicted(i))));
    if (persons) add(csv_field(predictions.persons[i]));
    file.append(line += '\n');
  }
  file.commit();
}

Predictions read_predictions(const fs::path& path) {
  CsvReader reader(path);
  const std::vector<std::string> header = reader.header();
  const Columns columns = columns_of(header, reader.where());
  Predictions predictions;
  predictions.classes = columns.classes;
  std::vector<std::string> fields;
  std::vector<float> row(columns.classes.size());
  while (reader.next(fields)) {
    const int truth = class_index(columns.classes, trimmed(fields[columns.truth]));
    if (truth < 0) {
      throw std::runtime_error(reader.where() + "expected a truth that has a column, found \"" +
                               fields[columns.truth] + "\"");
    }
    float sum = 0;
    for (std::size_t k = 0; k < row.size(); ++k) {
      const std::size_t column = columns.probabilities[k];
      sum += row[k] = probability_of(fields[column], header[column], reader.where());
    }
    if (!(sum > 0)) {
      throw std::runtime_error(reader.where() +
                               "expected probabilities that add up to 1, found zeros alone");
    }
    predictions.add(fields[columns.image], truth, row,
                    columns.person ? trimmed(fields[*columns.person]) : std::string());
  }
  if (predictions.size() == 0)
    throw std::runtime_error(path.string() + ": expected rows below its header, found none");
  return predictions;
}

Predictions matched(const Predictions& other, const std::string& other_name,
                    const Predictions& reference, const std::string& reference_name) {
  const auto refuse = [&](const std::string& what) {
    throw std::runtime_error(other_name + " cannot be compared with " + reference_name + ": " +
                             what);
  };
  std::vector<std::size_t> column;  // of each class of the reference
  for (const std::string& name : reference.classes) {
    const int k = class_index(other.classes, name);
    if (k < 0) refuse("it has no column for the class \"" + name + "\"");
    column.push_back(static_cast<std::size_t>(k));
  }
  if (other.classes.size() != reference.classes.size()) {
    refuse("its classes are " + join(other.classes) + ", expected " + join(reference.classes) +
           " (--classes takes predictions among the same ones)");
  }
  std::unordered_map<std::string, std::size_t> faces;
  for (std::size_t i = 0; i < other.size(); ++i) {
    if (!faces.emplace(other.images[i], i).second)
      refuse("it has the image \"" + other.images[i] + "\" twice");
  }
  std::set<std::string> seen;
  Predictions result;
  result.classes = reference.classes;
  result.prior = reference.prior;
  std::vector<float> row(column.size());
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const std::string& image = reference.images[i];
    if (image.empty()) refuse("the data does not carry the names of the images; pack it anew");
    if (!seen.insert(image).second) refuse("the image \"" + image + "\" was evaluated twice");
    const auto found = faces.find(image);
    if (found == faces.end()) refuse("it has no row of the image \"" + image + "\"");
    const std::size_t face = found->second;
    const auto p = other.row(face);
    for (std::size_t k = 0; k < column.size(); ++k) row[k] = p[column[k]];
    const auto truth = static_cast<std::size_t>(other.truth[face]);
    if (column[static_cast<std::size_t>(reference.truth[i])] != truth) {
      refuse("the image \"" + image + "\" is labelled \"" + other.classes[truth] +
             "\" there, and \"" + reference.classes[static_cast<std::size_t>(reference.truth[i])] +
             "\" here");
    }
    result.add(image, reference.truth[i], row, reference.persons[i]);
  }
  if (other.size() != reference.size()) {
    refuse("it has " + std::to_string(other.size()) + " faces, expected " +
           std::to_string(reference.size()));
  }
  return result;
}

}  // namespace fer
