// Predictions as a CSV file, for programs that compute their own figures, and for comparing models
// later.
#pragma once

#include <filesystem>

#include "evaluation/predictions.h"

namespace fer {

/// Writes a header and a row per face: `image`, `truth`, one column per class with its
/// probability, `predicted`, and `person` where some face has one. Atomic; rows go to the disk as
/// they are made. Throws std::runtime_error where the file cannot be written or a face has no name.
void write_predictions(const std::filesystem::path& path, const Predictions& predictions);

/// Reads what write_predictions() wrote, or what another program wrote in that form: columns in any
/// order, further ones are ignored, `predicted` and `person` may be missing. A row's probabilities
/// are divided by their sum. `prior` stays empty. Throws std::runtime_error: file, line, what was
/// expected, what was found.
Predictions read_predictions(const std::filesystem::path& path);

/// `other` with its faces in the order of `reference` and its classes in that one's order. Throws
/// std::runtime_error, with both names in it, where they are not about the same faces: an image is
/// missing on either side or stands there twice, a truth or the set of classes differs.
Predictions matched(const Predictions& other, const std::string& other_name,
                    const Predictions& reference, const std::string& reference_name);

}  // namespace fer
