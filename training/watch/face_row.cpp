#include "watch/face_row.h"

#include <cmath>
#include <numbers>

#include "face-geometry.h"
#include "files/csv_reader.h"
#include "util/json_text.h"

namespace fer {
namespace {

using Json = nlohmann::ordered_json;

/// A number with so many decimals at most; null for what is no finite number.
Json rounded(double value, double decimals) {
  if (!std::isfinite(value)) return {};
  const double scale = std::pow(10, decimals);
  return std::round(value * scale) / scale;
}

}  // namespace

double roll_of(const std::optional<Landmarks>& landmarks) {
  if (!landmarks) return NAN;
  const cv::Point2f across = (*landmarks)[1] - (*landmarks)[0];
  const double degrees = std::atan2(static_cast<double>(across.y), static_cast<double>(across.x)) *
                         180 / std::numbers::pi;
  return degrees <= -180 ? degrees + 360 : degrees;
}

Json face_row(const std::string& input, const SeenFrame& frame, const FaceRecord& face,
              std::size_t number) {
  const TrackedFace shown = face_in_pixels(face, frame.geometry);
  const auto pixels = [](float value) { return rounded(static_cast<double>(value), 2); };
  Json row{{"input", input},
           {"frame", frame.number},
           {"timestamp", rounded(frame.time, 6)},
           {"face_id", face.track_id != 0 ? Json(face.track_id) : Json(number)},
           {"FaceRectX", pixels(shown.box.x)},
           {"FaceRectY", pixels(shown.box.y)},
           {"FaceRectWidth", pixels(shown.box.width)},
           {"FaceRectHeight", pixels(shown.box.height)},
           {"FaceScore", rounded(face.confidence, 4)}};
  for (std::size_t i = 0; i < Landmarks{}.size(); ++i) {
    row["x_" + std::to_string(i)] = shown.landmarks ? pixels((*shown.landmarks)[i].x) : Json();
    row["y_" + std::to_string(i)] = shown.landmarks ? pixels((*shown.landmarks)[i].y) : Json();
  }
  row["Roll"] = rounded(roll_of(shown.landmarks), 2);
  row["clear"] = face.clear;
  if (!face.expression) return row;
  const Expression& said = *face.expression;
  for (std::size_t k = 0; k < said.labels.size() && k < said.probabilities.size(); ++k)
    row[said.labels[k]] = rounded(static_cast<double>(said.probabilities[k]), 4);
  row["label"] = said.label;
  row["confidence"] = rounded(said.confidence(), 4);
  row["unsure"] = said.unsure;
  row["age"] = said.age;
  row["model_version"] = said.model_version;
  return row;
}

std::vector<std::string> row_columns(const std::vector<std::string>& classes) {
  std::vector<std::string> columns{"input",         "frame",          "timestamp",
                                   "face_id",       "FaceRectX",      "FaceRectY",
                                   "FaceRectWidth", "FaceRectHeight", "FaceScore"};
  for (std::size_t i = 0; i < Landmarks{}.size(); ++i) {
    columns.push_back("x_" + std::to_string(i));
    columns.push_back("y_" + std::to_string(i));
  }
  columns.insert(columns.end(), {"Roll", "clear"});
  columns.insert(columns.end(), classes.begin(), classes.end());
  columns.insert(columns.end(), {"label", "confidence", "unsure", "age", "model_version"});
  return columns;
}

std::string csv_line(const std::vector<std::string>& columns, const Json& row) {
  std::string line;
  for (const std::string& column : columns) {
    if (&column != &columns.front()) line += ',';
    const auto found = row.find(column);
    if (found == row.end() || found->is_null()) continue;
    // As Python and R read truth: 1 and 0 are numbers to all of them.
    if (found->is_boolean()) {
      line += found->get<bool>() ? '1' : '0';
    } else {
      line += found->is_string() ? csv_field(found->get<std::string>()) : json_text(*found);
    }
  }
  return line;
}

}  // namespace fer
