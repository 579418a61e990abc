#include "data/stream_label_file.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <unordered_set>

#include "files/csv_reader.h"
#include "learn/data/face_ref.h"
#include "util/join.h"
#include "util/random.h"

namespace fer {
namespace {

std::string_view bytes_of(const PackedDataset& data, std::size_t row) {
  const auto crop = data.crop(row);
  return {reinterpret_cast<const char*>(crop.data()), crop.size()};
}

}  // namespace

std::vector<StreamLabel> stream_labels(const PackedDataset& data, const std::string& split,
                                       int per_class, std::uint64_t seed, const ModelInfo& model) {
  const PackedInfo& info = data.info();
  require_same(model.crops(), "the model", info.crops, data.name());
  const std::vector<int> place = label_mapping(info.labels, model.labels);
  std::vector<std::size_t> rows = data.rows(split);
  if (per_class > 0) {
    Random random(seed, 0x6c6162656c);
    std::shuffle(rows.begin(), rows.end(), random);
  }
  std::vector<int> taken(model.labels.size());
  std::vector<StreamLabel> labelled;
  for (const std::size_t row : rows) {
    const int known = data.label(row);
    const int label = known < 0 ? -1 : place[static_cast<std::size_t>(known)];
    if (label < 0) continue;
    if (per_class > 0 && taken[static_cast<std::size_t>(label)]++ >= per_class) continue;
    labelled.push_back({row, label});
  }
  if (labelled.empty()) {
    throw std::runtime_error(data.name() + ": expected faces labelled " + join(model.labels) +
                             ", found none");
  }
  return labelled;
}

void require_faces_of(const std::vector<ShownFaces>& streams, const PackedDataset& labels,
                      const std::vector<StreamLabel>& rows, const std::string& stream_names) {
  std::unordered_set<std::string_view> shown;
  for (const ShownFaces& stream : streams)
    for (const std::size_t row : stream.rows) shown.insert(bytes_of(*stream.data, row));
  const auto strange = std::count_if(rows.begin(), rows.end(), [&](const StreamLabel& label) {
    return !shown.contains(bytes_of(labels, label.row));
  });
  if (strange == 0) return;
  throw std::runtime_error(labels.name() + ": expected faces of the stream itself, " +
                           stream_names + ", found " + std::to_string(strange) + " of " +
                           std::to_string(rows.size()) +
                           " that it does not show; label faces of this stream");
}

void require_named_stream(const std::filesystem::path& csv,
                          const std::vector<std::string>& inputs) {
  if (csv.extension() != ".csv") return;
  CsvReader reader(csv);
  const std::vector<std::string> header = reader.header();
  const auto column = std::find(header.begin(), header.end(), "stream");
  if (column == header.end()) return;
  std::vector<std::string> fields;
  while (reader.next(fields)) {
    const std::string& named = fields[static_cast<std::size_t>(column - header.begin())];
    const bool known = std::any_of(inputs.begin(), inputs.end(), [&](const std::string& input) {
      return named == input ||
             std::filesystem::path(named).filename() == std::filesystem::path(input).filename();
    });
    if (!known) {
      throw std::runtime_error(reader.where() + "expected a face of the stream itself, " +
                               join(inputs) + ", found one of \"" + named +
                               "\"; label faces of this stream");
    }
  }
}

}  // namespace fer
