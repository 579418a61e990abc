#include "learn/data/face_ref.h"

#include <algorithm>

#include "model/labels.h"
#include "util/random.h"

namespace fer {

bool has_split(const PackedDataset& data, const std::string& split) {
  const auto& splits = data.info().splits;
  return std::find(splits.begin(), splits.end(), split) != splits.end();
}

std::vector<int> label_mapping(const std::vector<std::string>& names,
                               const std::vector<std::string>& labels) {
  const auto common = [](const std::string& name) { return canonical_label(name).value_or(name); };
  std::vector<int> indices;
  for (const std::string& name : names) {
    const auto it = std::find_if(labels.begin(), labels.end(), [&](const std::string& label) {
      return common(label) == common(name);
    });
    indices.push_back(it == labels.end() ? -1 : static_cast<int>(it - labels.begin()));
  }
  return indices;
}

void require_same_crops(const PackedDataset& data, const PackedDataset& other) {
  require_same(data.info().crops, data.name(), other.info().crops, other.name());
}

std::vector<FaceRef> faces_without_labels(const PackedDataset& data,
                                          const std::vector<std::string>& labels) {
  const std::vector<int> places = label_mapping(data.info().labels, labels);
  std::vector<FaceRef> faces;
  for (std::size_t row : data.rows(has_split(data, "train") ? "train" : "")) {
    if (data.duplicate(row)) continue;
    const int label = data.label(row);
    faces.push_back({&data, row, label < 0 ? -1 : places[static_cast<std::size_t>(label)]});
  }
  return faces;
}

std::uint64_t fingerprint(std::uint64_t hash, const std::vector<FaceRef>& faces) {
  for (const FaceRef& face : faces)
    hash = Random(hash, face.row, static_cast<std::uint64_t>(face.label))();
  return hash;
}

}  // namespace fer
