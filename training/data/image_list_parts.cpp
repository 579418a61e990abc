#include "data/image_list_parts.h"

#include <algorithm>
#include <stdexcept>

#include "files/csv_reader.h"
#include "model/labels.h"

namespace fer {
namespace {

/// The index of the largest value; -1 where several share it or all are zero.
int single_majority(const std::vector<float>& votes) {
  const auto top = std::max_element(votes.begin(), votes.end());
  if (top == votes.end() || *top <= 0 || std::count(votes.begin(), votes.end(), *top) != 1)
    return -1;
  return static_cast<int>(top - votes.begin());
}

}  // namespace

void keep_labels(ImageList& list, const std::set<int>& kept) {
  std::vector<std::string> labels;
  std::map<int, int> place;
  for (int k : kept) {
    place[k] = static_cast<int>(labels.size());
    labels.push_back(list.labels[k]);
  }
  for (ImageEntry& entry : list.entries) {
    if (entry.label >= 0) entry.label = place.at(entry.label);
    std::vector<float> votes;
    for (int k : kept) votes.push_back(entry.votes.empty() ? 0.f : entry.votes[k]);
    entry.votes = std::move(votes);
  }
  list.labels = std::move(labels);
}

void keep_occurring(ImageList& list) {
  std::set<int> occurring;
  for (const ImageEntry& entry : list.entries)
    if (entry.label >= 0) occurring.insert(entry.label);
  keep_labels(list, occurring);
}

void one_vote_each(ImageList& list) {
  for (ImageEntry& entry : list.entries)
    if (entry.label >= 0) entry.votes[entry.label] = 1;
}

int index_of(const std::vector<std::string>& labels, const std::optional<std::string>& label) {
  if (!label) return -1;
  const auto it = std::find(labels.begin(), labels.end(), *label);
  return it == labels.end() ? -1 : static_cast<int>(it - labels.begin());
}

VoteColumns::VoteColumns(const std::vector<std::string>& header) : header_(header) {
  for (int i = 0; i < static_cast<int>(header.size()); ++i) {
    const std::string name = lower(header[i]);
    if (name == "unknown" || name == "not_face" || name == "nf")
      others_.push_back(i);
    else if (const int k = index_of(ferplus_labels(), canonical_label(name)); k >= 0)
      votes_[i] = k;
  }
  if (votes_.size() < 2) votes_.clear();
}

std::set<int> VoteColumns::labels() const {
  std::set<int> labels;
  for (const auto& [column, k] : votes_) labels.insert(k);
  return labels;
}

void VoteColumns::read(const std::vector<std::string>& fields, const std::string& where,
                       ImageEntry& entry) const {
  const auto number = [&](int column) {
    const std::string text = trimmed(fields[column]);
    try {
      std::size_t used = 0;
      const float value = std::stof(text, &used);
      if (used == text.size() && value >= 0 && value < 1e6f) return value;
    } catch (const std::exception&) {
    }
    throw std::runtime_error(where + "expected a count of votes in column \"" + header_[column] +
                             "\", found \"" + fields[column] + "\"");
  };
  for (const auto& [column, k] : votes_) entry.votes[k] += number(column);
  std::vector<float> all = entry.votes;
  for (int column : others_) all.push_back(number(column));
  const int top = single_majority(all);
  entry.label = top < static_cast<int>(entry.votes.size()) ? top : -1;
}

}  // namespace fer
