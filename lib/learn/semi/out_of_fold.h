// What predictions on labelled rows that were not learnt from say of pseudo-labels. Plain numbers,
// free of LibTorch.
#pragma once

#include <span>
#include <vector>

namespace fer {

/// Predictions on labelled rows by heads that have not seen them, one row after the other.
struct OutOfFold {
  int classes = 0;
  std::vector<double> probabilities;  ///< N x C.
  std::vector<int> labels;            ///< N: what the rows are.

  std::size_t rows() const { return labels.size(); }
  std::span<const double> row(std::size_t i) const {
    return std::span(probabilities)
        .subspan(i * static_cast<std::size_t>(classes), static_cast<std::size_t>(classes));
  }
};

struct PrecisionTarget {
  double rho = 0.7;  ///< Precision that the lower bound must reach.
  double z = 1;      ///< Standard deviations of the bound.
  double top = 0.1;  ///< Share of a class's rows that is accepted where no threshold does.
};

/// A threshold for each class: the least confidence t such that the rows predicted as the class
/// with confidence >= t are right with the wanted precision. Rows count as often as their class is
/// in `mix` (C, sums to 1) against its share of the rows; empty: as they are. A class that no row
/// is predicted as has 2, which no confidence reaches.
std::vector<double> precision_thresholds(const OutOfFold& rows, const PrecisionTarget& target,
                                         std::span<const double> mix = {});

/// For each class the α-quantile of the probability that rows of the class get for it: the
/// ⌊α (n + 1)⌋-th smallest of n. A new row of the class falls below it with a probability of at
/// most α (split conformal prediction, class by class: Vovk 2012). 0 where n is too small for that.
std::vector<double> conformal_quantiles(const OutOfFold& rows, double alpha);

/// The temperature in [0.05, 20] by which the rows' logits are divided so that their labels are
/// likeliest (Guo et al. 2017).
double fitted_temperature(const OutOfFold& rows);

/// Probabilities with their logits divided by the temperature.
std::vector<double> tempered(std::span<const double> probabilities, int classes,
                             double temperature);

/// The mix of classes of rows without labels, by expectation and maximisation (Saerens et al.
/// 2002): `probabilities` (N x C) hold under the mix `known` (C), and are to be calibrated. A share
/// `prior` of `known` stays in the estimate, so that no class vanishes.
std::vector<double> estimated_mix(std::span<const double> probabilities,
                                  std::span<const double> known, double prior = 0.01);

/// Probabilities that hold under the mix `from`, as they are under the mix `to`.
std::vector<double> under_mix(std::span<const double> probabilities, std::span<const double> from,
                              std::span<const double> to);

}  // namespace fer
