// Which photos a collection of scenes has, and the faces that a teacher saw in them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "learn/detection/detection_dataset.h"

namespace fer {

struct SceneEntry {
  std::filesystem::path image;
  std::string split;   ///< "train", "valid", "test" or what the file says.
  std::string source;  ///< The collection that it comes from; may be empty.
  bool tempting = false;
  std::vector<SceneFace> faces;
};

/// Reads a folder that holds `labels.csv` and `faces.csv`, or the path of the former. The images
/// lie in the folder `images` beside them, where there is one, else beside them.
///
/// `labels.csv`, one row a photo: `image`, `split`; optionally `source` and `dropped_false`
/// (a number above 0: teachers saw faces where there are none). `faces.csv`, one row a face:
/// `image`, `x`, `y`, `w`, `h`, then `right_eye_x`, `right_eye_y`, `left_eye_x`, …, `nose_…`,
/// `right_mouth_…`, `left_mouth_…`; optionally `score` and `sure` (0: perhaps a face). Columns in
/// any order; others are ignored. A photo without faces is taken to show none.
///
/// With `split`, only its photos are kept. Throws std::runtime_error: file, line, what was
/// expected, what was found.
std::vector<SceneEntry> read_scene_list(const std::filesystem::path& path,
                                        const std::string& split = "");

}  // namespace fer
