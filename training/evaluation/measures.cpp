#include "evaluation/measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>

#include "evaluation/reliability.h"

namespace fer {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kMinProbability = 1e-12;

/// Counts right answers of weighted faces.
class RightAnswers {
 public:
  /// `counts`: which faces count; empty: all.
  explicit RightAnswers(const Predictions& predictions, const std::vector<bool>& counts = {})
      : averaged_(predictions.classes.size()) {
    cells_.reserve(predictions.size());
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      const auto truth = static_cast<std::uint32_t>(predictions.truth[i]);
      const bool right = predictions.predicted(i) == predictions.truth[i];
      const bool in = counts.empty() || counts[i];
      cells_.push_back(in ? 2 * truth + (right ? 1 : 0) : ignored());
      if (in) averaged_[truth] = true;
    }
  }

  std::size_t figure_count() const { return 2 + averaged_.size(); }

  /// From now on the macro recalls of both are means over the classes that both have.
  static void average_common_classes(RightAnswers& a, RightAnswers& b) {
    for (std::size_t k = 0; k < a.averaged_.size(); ++k)
      a.averaged_[k] = b.averaged_[k] = a.averaged_[k] && b.averaged_[k];
  }

  /// Accuracy, macro recall, and the recall of each class.
  void figures(std::span<const std::uint32_t> weights, std::span<double> out) const {
    // One wrong and one right counter per class, and one for what is ignored.
    std::vector<std::uint64_t> sums(2 * averaged_.size() + 1);
    for (std::size_t i = 0; i < cells_.size(); ++i) sums[cells_[i]] += weights[i];
    double faces = 0, all_right = 0, recalls = 0;
    int classes = 0;
    for (std::size_t k = 0; k < averaged_.size(); ++k) {
      const auto wrong = static_cast<double>(sums[2 * k]);
      const auto right = static_cast<double>(sums[2 * k + 1]);
      faces += wrong + right;
      all_right += right;
      out[2 + k] = wrong + right > 0 ? right / (wrong + right) : kNaN;
      if (!averaged_[k]) continue;
      recalls += out[2 + k];
      ++classes;
    }
    out[0] = faces > 0 ? all_right / faces : kNaN;
    out[1] = classes > 0 ? recalls / classes : kNaN;
  }

 private:
  std::uint32_t ignored() const { return static_cast<std::uint32_t>(2 * averaged_.size()); }

  std::vector<bool> averaged_;        ///< One per class: whether it counts in the macro recall.
  std::vector<std::uint32_t> cells_;  ///< One per face: which sum it counts in.
};

/// Scores the probabilities of weighted faces.
class ProbabilityScores {
 public:
  static constexpr std::size_t kFigures = 4;

  explicit ProbabilityScores(const Predictions& predictions) {
    const std::vector<float> confidences = confidences_of(predictions);
    const auto by_mass = bins_of(confidences, Binning::kEqualMass);
    const auto by_width = bins_of(confidences, Binning::kEqualWidth);
    faces_.reserve(predictions.size());
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      const auto p = predictions.row(i);
      const auto truth = static_cast<std::size_t>(predictions.truth[i]);
      double brier = 0;
      for (std::size_t k = 0; k < p.size(); ++k) {
        const double error = p[k] - (k == truth ? 1.0 : 0.0);
        brier += error * error;
      }
      const bool right = predictions.predicted(i) == predictions.truth[i];
      faces_.push_back({-std::log(std::max<double>(p[truth], kMinProbability)), brier,
                        confidences[i] - (right ? 1.0 : 0.0), by_mass[i], by_width[i]});
    }
  }

  /// NLL, Brier score, ECE of equal masses and of equal widths.
  void figures(std::span<const std::uint32_t> weights, std::span<double> out) const {
    double all = 0, nll = 0, brier = 0;
    std::array<double, kReliabilityBins> mass_gap{}, width_gap{};
    for (std::size_t i = 0; i < faces_.size(); ++i) {
      const Face& face = faces_[i];
      const double w = weights[i];
      all += w;
      nll += w * face.nll;
      brier += w * face.brier;
      mass_gap[static_cast<std::size_t>(face.mass_bin)] += w * face.gap;
      width_gap[static_cast<std::size_t>(face.width_bin)] += w * face.gap;
    }
    double mass = 0, width = 0;
    for (const double gap : mass_gap) mass += std::abs(gap);
    for (const double gap : width_gap) width += std::abs(gap);
    out[0] = nll / all;
    out[1] = brier / all;
    out[2] = mass / all;
    out[3] = width / all;
  }

 private:
  struct Face {
    double nll, brier;
    double gap;  ///< Confidence minus (it was right).
    int mass_bin, width_bin;
  };
  std::vector<Face> faces_;
};

/// The figures of the faces as they are, and their intervals.
std::vector<Measure> with_intervals(const Clusters& clusters, const BootstrapSettings& settings,
                                    std::size_t count, const Figures& figures) {
  const std::vector<std::uint32_t> once(clusters.of_face.size(), 1);
  std::vector<double> values(count);
  figures(once, values);
  const std::vector<Interval> intervals = bootstrap(clusters, settings, count, figures);
  std::vector<Measure> measures;
  for (std::size_t k = 0; k < count; ++k) {
    const bool known = !std::isnan(values[k]);
    measures.push_back({values[k], known ? intervals[k] : Interval{kNaN, kNaN}});
  }
  return measures;
}

Differences difference(const RightAnswers& first, const RightAnswers& second,
                       const Clusters& clusters, const BootstrapSettings& settings) {
  const std::size_t count = first.figure_count();
  const auto all =
      with_intervals(clusters, settings, count,
                     [&](std::span<const std::uint32_t> weights, std::span<double> out) {
                       std::vector<double> subtracted(count);
                       first.figures(weights, out);
                       second.figures(weights, subtracted);
                       for (std::size_t k = 0; k < count; ++k) out[k] -= subtracted[k];
                     });
  return {all[0], all[1], {all.begin() + 2, all.end()}};
}

}  // namespace

Measures measure(const Predictions& predictions, const Clusters& clusters,
                 const BootstrapSettings& settings) {
  const RightAnswers answers(predictions);
  const ProbabilityScores scores(predictions);
  const std::size_t right = answers.figure_count();
  const auto all =
      with_intervals(clusters, settings, right + ProbabilityScores::kFigures,
                     [&](std::span<const std::uint32_t> weights, std::span<double> out) {
                       answers.figures(weights, out.first(right));
                       scores.figures(weights, out.subspan(right));
                     });
  Measures measures;
  measures.faces = predictions.size();
  measures.accuracy = all[0];
  measures.macro_recall = all[1];
  measures.recall.assign(all.begin() + 2, all.begin() + static_cast<std::ptrdiff_t>(right));
  measures.nll = all[right];
  measures.brier = all[right + 1];
  measures.ece_equal_mass = all[right + 2];
  measures.ece_equal_width = all[right + 3];
  return measures;
}

Differences compare(const Predictions& first, const Predictions& second, const Clusters& clusters,
                    const BootstrapSettings& settings) {
  if (first.classes != second.classes || first.truth != second.truth)
    throw std::invalid_argument("compare: expected predictions about the same faces");
  return difference(RightAnswers(first), RightAnswers(second), clusters, settings);
}

Differences compare_to_rest(const Predictions& predictions, const std::vector<bool>& inside,
                            const Clusters& clusters, const BootstrapSettings& settings) {
  std::vector<bool> outside = inside;
  outside.flip();
  RightAnswers in(predictions, inside), out(predictions, outside);
  RightAnswers::average_common_classes(in, out);
  return difference(in, out, clusters, settings);
}

}  // namespace fer
