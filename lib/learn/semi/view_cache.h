// A file of augmented views as activations of a frozen trunk, so that training skips the trunk.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "export.h"
#include "learn/data/semi_data.h"
#include "learn/semi/semi_trainer.h"

namespace fer {

/// Writes `config.views` weak and as many strong views of each face of the data: the activations of
/// the initial weights' trunk (stem and `config.frozen_blocks` blocks), in bfloat16. The file is
/// safetensors, written atomically. The views depend neither on the config's seed nor on which
/// faces have labels, so that runs which differ in these share a file.
///
/// `on_progress` is told how many views are done. Where it returns false, this stops, returns false
/// and leaves no file. Throws std::runtime_error where the initial weights do not fit the network,
/// or the file cannot be written.
FER_API bool write_views(const std::filesystem::path& file, const SemiData& data,
                         const SemiConfig& config,
                         const std::function<bool(std::size_t done, std::size_t all)>& on_progress);

/// Maps such a file into memory. of() draws among the views that it holds. Throws
/// std::runtime_error (file, expected, found) where write_views() would write another file for this
/// data and config.
FER_API std::shared_ptr<const FaceViews> read_views(const std::filesystem::path& file,
                                                    const SemiData& data, const SemiConfig& config);

}  // namespace fer
