#include "evaluation/groups.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

namespace fer {
namespace {

/// More would be a column of names or of measured values, which needs edges.
constexpr std::size_t kMaxGroups = 50;

std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

/// The names of the ranges between edges, in their order.
std::vector<std::string> range_names(const std::vector<double>& edges) {
  std::vector<std::string> names{"below " + number_text(edges.front())};
  for (std::size_t i = 1; i < edges.size(); ++i)
    names.push_back(number_text(edges[i - 1]) + " to below " + number_text(edges[i]));
  names.push_back(number_text(edges.back()) + " and above");
  return names;
}

/// The part of an image's name, without folder and ending; nullopt where it has fewer.
std::optional<std::string> name_part(const std::string& image, int field) {
  std::string rest = std::filesystem::path(image).stem().string();
  for (int i = 1; i < field; ++i) {
    const auto cut = rest.find('_');
    if (cut == std::string::npos) return std::nullopt;
    rest = rest.substr(cut + 1);
  }
  return rest.substr(0, rest.find('_'));
}

Predictions part_of(const Predictions& predictions, const std::vector<bool>& inside) {
  Predictions part;
  part.classes = predictions.classes;
  part.prior = predictions.prior;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (inside[i]) {
      part.add(predictions.images[i], predictions.truth[i], predictions.row(i),
               predictions.persons[i]);
    }
  }
  return part;
}

/// The clusters of some of the faces, numbered anew.
Clusters part_of(const Clusters& clusters, const std::vector<bool>& inside) {
  Clusters part;
  std::map<std::uint32_t, std::uint32_t> number;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (!inside[i]) continue;
    const auto next = static_cast<std::uint32_t>(number.size());
    part.of_face.push_back(number.emplace(clusters.of_face[i], next).first->second);
  }
  part.count = number.size();
  return part;
}

/// The groups that occur, in the order in which they are to be shown.
std::vector<std::string> ordered(const std::vector<std::string>& groups,
                                 const std::vector<double>& edges) {
  std::set<std::string> occurring(groups.begin(), groups.end());
  occurring.erase("");
  std::vector<std::string> names(occurring.begin(), occurring.end());
  if (!edges.empty()) {
    names = range_names(edges);
    std::erase_if(names, [&](const std::string& name) { return !occurring.contains(name); });
  } else if (std::all_of(names.begin(), names.end(), number_of)) {
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
      return *number_of(a) < *number_of(b);
    });
  }
  return names;
}

}  // namespace

std::string Grouping::name() const {
  return name_field > 0 ? "part " + std::to_string(name_field) + " of the name" : column;
}

std::vector<std::string> groups_of(const PackedDataset& data, const std::vector<std::size_t>& rows,
                                   const Grouping& grouping) {
  const std::size_t column = grouping.name_field > 0 ? 0 : data.column(grouping.column);
  const auto ranges =
      grouping.edges.empty() ? std::vector<std::string>() : range_names(grouping.edges);
  std::vector<std::string> groups;
  for (const std::size_t row : rows) {
    const std::string image(data.image(row));
    const auto refuse = [&](const std::string& what) {
      throw std::runtime_error(data.name() + ", image \"" + image + "\": " + what);
    };
    std::string value;
    if (grouping.name_field == 0) {
      value = data.text(column, row);
    } else if (image.empty()) {
      throw std::runtime_error(data.name() +
                               ": it does not carry the names of its images; pack it anew by: fer "
                               "pack");
    } else {
      const auto part = name_part(image, grouping.name_field);
      if (!part) {
        refuse("expected a name of at least " + std::to_string(grouping.name_field) +
               " parts with _ between them");
      }
      value = *part;
    }
    if (!ranges.empty() && !value.empty()) {
      const auto number = number_of(value);
      if (!number) refuse("expected a number as " + grouping.name() + ", found \"" + value + "\"");
      const auto above = std::upper_bound(grouping.edges.begin(), grouping.edges.end(), *number);
      value = ranges[static_cast<std::size_t>(above - grouping.edges.begin())];
    }
    groups.push_back(std::move(value));
  }
  return groups;
}

std::vector<GroupMeasures> measure_groups(const Predictions& predictions,
                                          const std::vector<std::string>& groups,
                                          const Grouping& grouping, const Clusters& clusters,
                                          const BootstrapSettings& settings) {
  const std::vector<std::string> names = ordered(groups, grouping.edges);
  if (names.empty())
    throw std::runtime_error("no face that was evaluated has a value of " + grouping.name());
  if (names.size() > kMaxGroups) {
    throw std::runtime_error(grouping.name() + " has " + std::to_string(names.size()) +
                             " different values, expected at most " + std::to_string(kMaxGroups) +
                             "; --group-edges puts numbers into ranges");
  }
  std::vector<bool> grouped(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) grouped[i] = !groups[i].empty();
  const Predictions all = part_of(predictions, grouped);
  const Clusters all_clusters = part_of(clusters, grouped);

  std::vector<GroupMeasures> result;
  for (const std::string& name : names) {
    std::vector<bool> inside;  // of the faces that have a group
    for (const std::string& group : groups)
      if (!group.empty()) inside.push_back(group == name);
    GroupMeasures measures;
    measures.group = name;
    measures.measures = measure(part_of(all, inside), part_of(all_clusters, inside), settings);
    measures.to_rest = compare_to_rest(all, inside, all_clusters, settings);
    result.push_back(std::move(measures));
  }
  return result;
}

}  // namespace fer
