#include "evaluation/reliability.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fer {

std::vector<float> confidences_of(const Predictions& predictions) {
  std::vector<float> confidences(predictions.size());
  for (std::size_t i = 0; i < confidences.size(); ++i)
    confidences[i] = predictions.row(i)[static_cast<std::size_t>(predictions.predicted(i))];
  return confidences;
}

std::vector<int> bins_of(std::span<const float> confidences, Binning binning, int bins) {
  std::vector<int> result(confidences.size());
  if (binning == Binning::kEqualWidth) {
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double place = std::ceil(static_cast<double>(confidences[i]) * bins) - 1;
      result[i] = static_cast<int>(std::clamp(place, 0.0, bins - 1.0));
    }
    return result;
  }
  std::vector<std::size_t> order(confidences.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return confidences[a] < confidences[b]; });
  for (std::size_t rank = 0; rank < order.size(); ++rank)
    result[order[rank]] = static_cast<int>(rank * static_cast<std::size_t>(bins) / order.size());
  return result;
}

std::vector<ReliabilityBin> reliability(const Predictions& predictions, Binning binning, int bins) {
  const std::vector<float> confidences = confidences_of(predictions);
  const std::vector<int> bin_of_face = bins_of(confidences, binning, bins);
  std::vector<ReliabilityBin> all(static_cast<std::size_t>(bins));
  for (ReliabilityBin& bin : all) bin.min_confidence = 1;
  for (std::size_t i = 0; i < confidences.size(); ++i) {
    ReliabilityBin& bin = all[static_cast<std::size_t>(bin_of_face[i])];
    const double confidence = confidences[i];
    ++bin.faces;
    bin.min_confidence = std::min(bin.min_confidence, confidence);
    bin.max_confidence = std::max(bin.max_confidence, confidence);
    bin.confidence += confidence;
    bin.accuracy += predictions.predicted(i) == predictions.truth[i];
  }
  std::erase_if(all, [](const ReliabilityBin& bin) { return bin.faces == 0; });
  for (ReliabilityBin& bin : all) {
    bin.confidence /= static_cast<double>(bin.faces);
    bin.accuracy /= static_cast<double>(bin.faces);
  }
  return all;
}

double expected_calibration_error(std::span<const ReliabilityBin> bins) {
  double gaps = 0, faces = 0;
  for (const ReliabilityBin& bin : bins) {
    gaps += static_cast<double>(bin.faces) * std::abs(bin.confidence - bin.accuracy);
    faces += static_cast<double>(bin.faces);
  }
  return faces > 0 ? gaps / faces : 0;
}

}  // namespace fer
