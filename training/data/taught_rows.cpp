#include "data/taught_rows.h"

#include <algorithm>
#include <stdexcept>

namespace fer {
namespace {

/// Faces that the teachers see at once.
constexpr std::size_t kChunk = 256;

void require_fitting(const Classifier& teacher, const PackedDataset& data) {
  const std::string name = "teacher " + teacher.info().version;
  require_same(teacher.info().crops(), name, data.info().crops, data.name());
  if (teacher.info().labels != data.info().labels)
    throw std::runtime_error(data.name() + ": expected the labels of " + name + ", found others");
}

/// A crop and its mirror image.
void append_both(std::span<const std::uint8_t> crop, std::size_t side,
                 std::vector<std::uint8_t>& to) {
  to.insert(to.end(), crop.begin(), crop.end());
  for (std::size_t row = 0; row < crop.size(); row += side) {
    const auto line = crop.subspan(row, side);
    to.insert(to.end(), line.rbegin(), line.rend());
  }
}

}  // namespace

std::vector<PackedRow> teach_rows(const PackedDataset& data, const TaughtRows& wanted,
                                  const std::vector<std::shared_ptr<const Classifier>>& teachers,
                                  PackedInfo& info) {
  for (const auto& teacher : teachers) require_fitting(*teacher, data);
  info = data.info();
  auto train = std::find(info.splits.begin(), info.splits.end(), "train");
  if (train == info.splits.end()) train = info.splits.insert(info.splits.begin(), "train");
  const auto split = static_cast<std::uint8_t>(train - info.splits.begin());

  std::vector<PackedRow> rows;
  for (const std::size_t row : data.rows(wanted.split)) {
    // What selects and tests models is taught only where it is asked for by name.
    const std::string& of = data.split(row);
    if (wanted.split.empty() && (of == "valid" || of == "test")) continue;
    if (data.duplicate(row) || (wanted.unlabelled_only && data.label(row) >= 0)) continue;
    const auto crop = data.crop(row);
    PackedRow taught;
    taught.crop.assign(crop.begin(), crop.end());
    taught.votes.assign(info.labels.size(), 0.f);
    taught.image = data.image(row);
    taught.columns.assign(info.columns.size(), "");
    taught.split = split;
    taught.aligned = data.aligned(row);
    taught.person = data.person(row);
    rows.push_back(std::move(taught));
  }
  if (rows.empty()) throw std::runtime_error(data.name() + ": no row is left to teach");

  const auto side = static_cast<std::size_t>(info.crops.side);
  const std::size_t classes = info.labels.size();
  const float share = kTaughtVotes / (2 * static_cast<float>(teachers.size()));
  for (std::size_t first = 0; first < rows.size(); first += kChunk) {
    const std::size_t end = std::min(rows.size(), first + kChunk);
    std::vector<std::uint8_t> crops;
    for (std::size_t i = first; i < end; ++i) append_both(rows[i].crop, side, crops);
    for (const auto& teacher : teachers) {
      std::vector<float> probabilities = teacher->logits(crops);
      to_probabilities(probabilities, teacher->info(), 0);
      for (std::size_t i = 0; i < probabilities.size(); ++i) {
        rows[first + i / (2 * classes)].votes[i % classes] += share * probabilities[i];
      }
    }
  }
  return rows;
}

}  // namespace fer
