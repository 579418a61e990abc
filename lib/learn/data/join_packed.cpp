#include "learn/data/join_packed.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "learn/data/face_ref.h"
#include "learn/data/packed_dataset.h"

namespace fer {
namespace {

/// The place of each of the part's labels among the first part's.
std::vector<std::size_t> places_of_labels(const PackedDataset& part, const PackedInfo& info) {
  std::vector<std::size_t> places;
  const std::vector<int> mapping = label_mapping(part.info().labels, info.labels);
  for (std::size_t k = 0; k < mapping.size(); ++k) {
    if (mapping[k] < 0) {
      throw std::runtime_error(part.name() + ": its label \"" + part.info().labels[k] +
                               "\" is none of the first dataset's");
    }
    places.push_back(static_cast<std::size_t>(mapping[k]));
  }
  return places;
}

std::uint8_t place_of_split(const PackedDataset& part, std::size_t row, const PackedInfo& info) {
  const auto found = std::find(info.splits.begin(), info.splits.end(), part.split(row));
  if (found == info.splits.end()) {
    throw std::runtime_error(part.name() + ": its split \"" + part.split(row) +
                             "\" is none of the first dataset's");
  }
  return static_cast<std::uint8_t>(found - info.splits.begin());
}

}  // namespace

std::size_t join_packed(const std::vector<std::filesystem::path>& parts,
                        const std::filesystem::path& out) {
  if (parts.empty()) throw std::runtime_error("nothing to join");
  const PackedDataset first(parts.front());
  PackedInfo info = first.info();
  std::vector<PackedRow> rows;
  std::int64_t persons = 0;
  for (const std::filesystem::path& path : parts) {
    // A column that one part lacks would be empty in its rows.
    const PackedDataset part(path);
    std::erase_if(info.columns, [&](const std::string& name) {
      const auto& names = part.info().columns;
      return std::find(names.begin(), names.end(), name) == names.end();
    });
  }
  for (const std::filesystem::path& path : parts) {
    const PackedDataset part(path);
    require_same_crops(first, part);
    const std::vector<std::size_t> places = places_of_labels(part, info);
    if (path != parts.front()) info.source += " + " + part.info().source;
    std::int64_t max = -1;
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto crop = part.crop(i);
      PackedRow row;
      row.crop.assign(crop.begin(), crop.end());
      row.votes.resize(info.labels.size());
      for (std::size_t k = 0; k < places.size(); ++k) row.votes[places[k]] += part.votes(i)[k];
      row.label = part.label(i) < 0
                      ? -1
                      : static_cast<int>(places[static_cast<std::size_t>(part.label(i))]);
      row.split = place_of_split(part, i, info);
      row.duplicate = part.duplicate(i);
      row.aligned = part.aligned(i);
      max = std::max(max, part.person(i));
      row.person = part.person(i) < 0 ? -1 : persons + part.person(i);
      row.image = part.image(i);
      for (const std::string& name : info.columns)
        row.columns.emplace_back(part.text(part.column(name), i));
      rows.push_back(std::move(row));
    }
    persons += max + 1;
  }
  write_packed(out, info, rows);
  return rows.size();
}

}  // namespace fer
