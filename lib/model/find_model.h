// Where a model is looked for when nobody named one.
#pragma once

#include <filesystem>

#include "export.h"

namespace fer {

/// The shipped expression model in the first of the folders of vision/model_paths.h that has it.
/// Empty where none has.
FER_API std::filesystem::path find_expression_model();

/// The same. Throws std::runtime_error, with the remedy, where none has it.
FER_API std::filesystem::path require_expression_model();

/// Name of the shipped expression model's file.
inline constexpr char kExpressionModel[] = "fernet.fer";

}  // namespace fer
