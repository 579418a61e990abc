// The rows that `fer watch` writes: one a face a frame (docs/reference/watching.md).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "face-meta.h"
#include "vision/face.h"

namespace fer {

/// A frame as it was watched, without its pixels.
struct SeenFrame {
  std::size_t number = 0;  ///< From 0.
  double time = 0;         ///< Seconds from the beginning.
  FrameGeometry geometry;
  std::vector<FaceRecord> faces;
  std::string thumbnail = {};  ///< A small JPEG; empty: none was asked for.
};

/// A face's row: names and values of its columns, in their order. `number` is the face's place in
/// its frame, from 1, which is its id where it is not followed.
nlohmann::ordered_json face_row(const std::string& input, const SeenFrame& frame,
                                const FaceRecord& face, std::size_t number);

/// How far the face is turned clockwise, in degrees: the line from eye to eye. `face` in pixels of
/// the picture as it is shown. NaN without landmarks.
double roll_of(const std::optional<Landmarks>& landmarks);

/// The columns of all rows, with one for the probability of each class.
std::vector<std::string> row_columns(const std::vector<std::string>& classes);

/// A line of RFC 4180 without its end. A value that the row lacks is an empty field.
std::string csv_line(const std::vector<std::string>& columns, const nlohmann::ordered_json& row);

}  // namespace fer
