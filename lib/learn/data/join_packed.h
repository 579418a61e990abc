// Joins packed datasets into one.
#pragma once

#include <filesystem>
#include <vector>

#include "export.h"

namespace fer {

/// Writes the rows of all `parts`, one after the other, as one packed dataset: the same faces cut
/// by several detectors, say. Labels are matched by their usual names, splits by theirs; numbers of
/// persons count on, so that no two parts share a person. Columns that all parts have are kept.
/// Returns the number of rows. Throws std::runtime_error that names the file: what PackedDataset
/// throws, crops of another shape or template, a label or split that the first part does not have;
/// and what write_packed() throws.
FER_API std::size_t join_packed(const std::vector<std::filesystem::path>& parts,
                                const std::filesystem::path& out);

}  // namespace fer
