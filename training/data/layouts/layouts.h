// Datasets as their owners hand them out, told by their files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/image_list.h"

namespace fer {

/// Reads `path` where it is one of the datasets below; nullopt where it is none of them. Throws
/// std::runtime_error: file, line, what was expected, what was found.
std::optional<ImageList> read_known_layout(const std::filesystem::path& path);

/// RAF-DB, basic (Li, Deng, Du 2017): a folder with EmoLabel/list_patition_label.txt (also below
/// basic/), whose lines are "train_00001.jpg 5", and Image/aligned, or else Image/original.
/// 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral.
std::optional<ImageList> read_raf_db(const std::filesystem::path& path);

/// AffectNet (Mollahosseini, Hasani, Mahoor 2019), in both its forms: a folder with train_set and
/// val_set, each of images/N.jpg and annotations/N_exp.npy; or training.csv and validation.csv,
/// with or without a header, in the folder or in Manually_Annotated_file_lists, and
/// Manually_Annotated_Images (also below Manually_Annotated), or one of these CSV files.
/// 0 neutral, 1 happiness, 2 sadness, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt; 8 none,
/// 9 uncertain and 10 no face are left out.
std::optional<ImageList> read_affectnet(const std::filesystem::path& path);

/// FER2013 (Goodfellow et al. 2013): a CSV with a column `pixels`, and mostly `emotion` and
/// `Usage`; or a folder with fer2013.csv or icml_face_data.csv. 0 anger, 1 disgust, 2 fear, 3
/// happiness, 4 sadness, 5 surprise, 6 neutral.
///
/// FER+ (Barsoum et al. 2016): fer2013new.csv, with one column of votes an expression, beside the
/// fer2013.csv whose rows it counts in the same order. Rows without an image's name were taken out
/// by its owners and are left out.
std::optional<ImageList> read_fer2013(const std::filesystem::path& path);

/// The one number of a NumPy file (*.npy): a scalar or an array of one, an integer, a float, or
/// digits as text, as AffectNet keeps them. Throws std::runtime_error: file, what was expected.
double read_npy_number(const std::filesystem::path& path);

}  // namespace fer
