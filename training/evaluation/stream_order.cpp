#include "evaluation/stream_order.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <stdexcept>
#include <tuple>

#include "util/random.h"

namespace fer {
namespace {

using Rows = std::vector<std::size_t>;

constexpr std::uint64_t kPurpose = 0x6f72646572;
/// Of the Dirichlet distribution: the smaller, the more a part of the stream is of one class.
constexpr double kConcentration = 0.1;
/// Parts of the stream, over each of which the classes' shares are drawn anew.
constexpr std::size_t kParts = 20;

Rows by_persons(const PackedDataset& data, const Rows& rows, Random& random) {
  std::map<std::int64_t, std::uint64_t> turn;  // of each person
  std::vector<std::tuple<std::uint64_t, std::uint64_t, std::size_t>> keyed;
  std::map<std::pair<std::int64_t, int>, std::uint64_t> run;  // of each of its expressions
  for (const std::size_t row : rows) {
    const std::int64_t person = data.person(row);
    const std::uint64_t own =
        person < 0 ? random() : turn.try_emplace(person, random()).first->second;
    const std::uint64_t expression =
        run.try_emplace({person, data.label(row)}, random()).first->second;
    keyed.emplace_back(own, expression, row);
  }
  std::sort(keyed.begin(), keyed.end());
  Rows ordered;
  for (const auto& [own, expression, row] : keyed) ordered.push_back(row);
  return ordered;
}

/// The rows of each class, each in random order, classes in random order.
std::vector<Rows> classes_of(const PackedDataset& data, const Rows& rows, Random& random) {
  std::map<int, Rows> by_label;
  for (const std::size_t row : rows) by_label[data.label(row)].push_back(row);
  if (by_label.size() == 1 && by_label.begin()->first < 0) {
    throw std::runtime_error(data.name() +
                             ": expected labels, by which to order the stream, found none");
  }
  std::vector<Rows> classes;
  for (auto& [label, members] : by_label) {
    std::shuffle(members.begin(), members.end(), random);
    classes.push_back(std::move(members));
  }
  std::shuffle(classes.begin(), classes.end(), random);
  return classes;
}

Rows by_dirichlet(const std::vector<Rows>& classes, Random& random) {
  std::vector<Rows> parts(kParts);
  std::gamma_distribution<double> gamma(kConcentration, 1);
  for (const Rows& members : classes) {
    std::vector<double> shares(kParts);
    for (double& share : shares) share = std::max(gamma(random), 1e-12);
    const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
    double until = 0;
    std::size_t next = 0;
    for (std::size_t part = 0; part < kParts; ++part) {
      until += shares[part] / all * static_cast<double>(members.size());
      const std::size_t end = part + 1 == kParts
                                  ? members.size()
                                  : std::min(members.size(), static_cast<std::size_t>(until + 0.5));
      for (; next < end; ++next) parts[part].push_back(members[next]);
    }
  }
  Rows ordered;
  for (Rows& part : parts) {
    std::shuffle(part.begin(), part.end(), random);
    ordered.insert(ordered.end(), part.begin(), part.end());
  }
  return ordered;
}

}  // namespace

std::vector<std::size_t> in_stream_order(const PackedDataset& data, std::vector<std::size_t> rows,
                                         StreamOrder order, std::uint64_t seed) {
  Random random(seed, kPurpose);
  switch (order) {
    case StreamOrder::kFile:
      break;
    case StreamOrder::kPersons:
      return by_persons(data, rows, random);
    case StreamOrder::kDirichlet:
      return by_dirichlet(classes_of(data, rows, random), random);
    case StreamOrder::kClasses: {
      Rows ordered;
      for (const Rows& members : classes_of(data, rows, random))
        ordered.insert(ordered.end(), members.begin(), members.end());
      return ordered;
    }
  }
  return rows;
}

}  // namespace fer
