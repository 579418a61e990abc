#include "learn/data/ssl_data.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <stdexcept>

#include "learn/data/batches.h"
#include "util/random.h"

namespace fer {
namespace {

/// Separates the draw of labels from other uses of the seed.
constexpr std::uint64_t kDrawOfLabels = 0x6c6162656cu;
constexpr std::uint64_t kDrawOfMix = 0x6d6978u;

/// `count` rows of each class by their majority label.
void draw_labels(const SslSources& sources, SslData& result) {
  const PackedDataset& data = *sources.labelled;
  const auto& labels = data.info().labels;
  std::vector<std::vector<std::size_t>> rows(labels.size());
  for (std::size_t row : data.rows("train"))
    if (!data.duplicate(row) && data.label(row) >= 0)
      rows[static_cast<std::size_t>(data.label(row))].push_back(row);
  const auto wanted = static_cast<std::size_t>(sources.labels_per_class);
  std::vector<std::size_t> counts;
  for (const auto& own : rows) counts.push_back(own.size());
  require_labels_per_class(data.name(), labels, counts, sources.labels_per_class,
                           sources.fewer_is_fine);
  for (std::size_t k = 0; k < labels.size(); ++k) {
    // The draw of a class depends on the seed and the class alone, and a larger draw contains the
    // smaller ones.
    Random random(sources.seed, kDrawOfLabels, k);
    std::shuffle(rows[k].begin(), rows[k].end(), random);
    rows[k].resize(std::min(rows[k].size(), wanted));
    for (std::size_t row : rows[k]) {
      result.labelled.push_back({&data, row, static_cast<int>(k)});
      result.targets.emplace_back(labels.size(), 0.f);
      result.targets.back()[k] = 1;
    }
  }
}

/// A share of each class's samples, the same for a seed; a larger share holds the smaller ones.
std::vector<Sample> share_of(std::vector<Sample> samples, const SslSources& sources) {
  if (!(sources.label_share > 0 && sources.label_share <= 1)) {
    throw std::runtime_error("the share of labels: expected more than 0 and up to 1, found " +
                             std::to_string(sources.label_share));
  }
  if (sources.label_share == 1) return samples;
  std::vector<std::vector<Sample>> of_class(sources.labelled->info().labels.size());
  for (Sample& sample : samples) of_class[majority(sample)].push_back(std::move(sample));
  std::vector<Sample> kept;
  for (std::size_t k = 0; k < of_class.size(); ++k) {
    Random random(sources.seed, kDrawOfLabels, k);
    std::shuffle(of_class[k].begin(), of_class[k].end(), random);
    of_class[k].resize(static_cast<std::size_t>(
        std::ceil(sources.label_share * static_cast<double>(of_class[k].size()))));
    std::move(of_class[k].begin(), of_class[k].end(), std::back_inserter(kept));
  }
  return kept;
}

/// All labelled_samples(), or a share of them, with their votes as targets.
void take_all_labels(const SslSources& sources, SslData& result) {
  const PackedDataset& data = *sources.labelled;
  std::vector<std::size_t> counts(data.info().labels.size());
  for (Sample& sample : share_of(labelled_samples(data, "train", sources.min_votes), sources)) {
    const std::size_t label = majority(sample);
    ++counts[label];
    result.labelled.push_back({&data, sample.row, static_cast<int>(label)});
    result.targets.push_back(std::move(sample.target));
  }
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] > 0) continue;
    throw std::runtime_error(data.name() +
                             ": expected labelled faces of each class in split train, " +
                             "found none of \"" + data.info().labels[k] + "\"");
  }
}

/// As many faces as asked for, in the wanted mix. A class that has too few gives some of them
/// again.
std::vector<FaceRef> in_mix(const std::vector<FaceRef>& faces, const SslSources& sources,
                            const std::vector<std::string>& labels) {
  if (sources.unlabelled_mix.size() != labels.size()) {
    throw std::runtime_error("the mix of the unlabelled faces: expected a share for each of the " +
                             std::to_string(labels.size()) + " labels, found " +
                             std::to_string(sources.unlabelled_mix.size()));
  }
  std::vector<std::vector<FaceRef>> of_class(labels.size());
  for (const FaceRef& face : faces)
    if (face.label >= 0) of_class[static_cast<std::size_t>(face.label)].push_back(face);
  double sum = 0;
  for (const double share : sources.unlabelled_mix) sum += share;
  std::vector<FaceRef> mixed;
  for (std::size_t k = 0; k < labels.size(); ++k) {
    const auto wanted = static_cast<std::size_t>(std::llround(
        sources.unlabelled_mix[k] / sum * static_cast<double>(sources.unlabelled_count)));
    if (wanted > 0 && of_class[k].empty()) {
      throw std::runtime_error("the mix of the unlabelled faces: expected some of \"" + labels[k] +
                               "\", found none whose label is known");
    }
    Random random(sources.seed, kDrawOfMix, k);
    std::shuffle(of_class[k].begin(), of_class[k].end(), random);
    for (std::size_t i = 0; i < wanted; ++i) mixed.push_back(of_class[k][i % of_class[k].size()]);
  }
  return mixed;
}

}  // namespace

void require_labels_per_class(const std::string& name, const std::vector<std::string>& labels,
                              const std::vector<std::size_t>& counts, int wanted,
                              bool fewer_is_fine) {
  for (std::size_t k = 0; k < labels.size(); ++k) {
    if (counts[k] >= static_cast<std::size_t>(wanted) || (counts[k] > 0 && fewer_is_fine)) continue;
    throw std::runtime_error(name + ": expected " + std::to_string(wanted) +
                             " labelled faces of each class in split train, found " +
                             std::to_string(counts[k]) + " of \"" + labels[k] + "\"");
  }
}

SslData ssl_data(const SslSources& sources) {
  const PackedDataset& data = *sources.labelled;
  SslData result;
  result.info = data.info();
  if (sources.labels_per_class > 0) {
    draw_labels(sources, result);
  } else {
    take_all_labels(sources, result);
  }

  std::set<std::pair<const PackedDataset*, std::size_t>> taken;
  for (const FaceRef& face : result.labelled) taken.emplace(face.data, face.row);
  std::vector<const PackedDataset*> others;
  if (!sources.only_unlabelled && (sources.labels_per_class > 0 || sources.label_share < 1))
    others.push_back(&data);
  for (const PackedDataset* other : sources.unlabelled)
    if (std::find(others.begin(), others.end(), other) == others.end()) others.push_back(other);
  for (const PackedDataset* other : others) {
    require_same_crops(data, *other);
    if (other != &data) result.info.source += " + " + other->info().source;
    for (const FaceRef& face : faces_without_labels(*other, result.info.labels))
      if (!taken.contains({face.data, face.row})) result.unlabelled.push_back(face);
  }

  if (!sources.unlabelled_mix.empty())
    result.unlabelled = in_mix(result.unlabelled, sources, result.info.labels);
  for (const PackedDataset* other : sources.distractors) {
    require_same_crops(data, *other);
    for (std::size_t row = 0; row < other->size(); ++row)
      result.unlabelled.push_back({other, row, kDistractor});
  }

  const PackedDataset& valid = sources.valid ? *sources.valid : data;
  require_same_crops(data, valid);
  const std::vector<int> labels = label_mapping(valid.info().labels, result.info.labels);
  const bool all = sources.valid && !has_split(valid, "valid");
  for (std::size_t row : valid.rows(all ? "" : "valid")) {
    if (valid.duplicate(row) || valid.label(row) < 0) continue;
    const auto label = static_cast<std::size_t>(valid.label(row));
    if (labels[label] < 0) {
      throw std::runtime_error(valid.name() + ": expected the labels of " + data.name() +
                               ", found \"" + valid.info().labels[label] + "\"");
    }
    result.valid.push_back({&valid, row, labels[label]});
  }
  if (result.valid.empty())
    throw std::runtime_error(valid.name() + ": it has no labelled row to select by");
  return result;
}

}  // namespace fer
