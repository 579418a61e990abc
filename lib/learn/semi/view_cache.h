// Views of faces as the frozen lower half of a network sees them, in a file.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "export.h"
#include "learn/data/semi_data.h"
#include "learn/semi/semi_trainer.h"

namespace fer {

/// Writes `config.views` weak and as many strong views of each face that the data learns from, as
/// activations above the first `config.frozen_blocks` residual blocks of the start, in bfloat16: a
/// safetensors file, written atomically. Which views they are does not depend on the config's seed
/// nor on which faces have labels, so that runs that differ in these share a file. `on_progress`
/// hears how many of how many views are made; where it returns false, so does this, and there is no
/// file. Throws std::runtime_error where the start does not fit the network, or the file cannot be
/// written.
FER_API bool write_views(const std::filesystem::path& file, const SemiData& data,
                         const SemiConfig& config,
                         const std::function<bool(std::size_t done, std::size_t all)>& on_progress);

/// Maps such a file into memory. A view is drawn from those that it holds. Throws
/// std::runtime_error: file, what was expected, what was found, where it is not what write_views()
/// would make of these faces.
FER_API std::shared_ptr<const FaceViews> read_views(const std::filesystem::path& file,
                                                    const SemiData& data, const SemiConfig& config);

}  // namespace fer
