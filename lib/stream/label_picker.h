// Which remembered faces to ask people about. Free of LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "export.h"
#include "stream/label_question.h"
#include "stream/sample_memory.h"

namespace fer {

/// What is known before the question.
struct KnownLabels {
  std::vector<int> per_class;                ///< Labelled faces of each class so far.
  std::vector<std::vector<float>> features;  ///< Of labelled faces.
  std::set<std::uint64_t> settled;           ///< Tracklets that were answered.
  std::int64_t now_s = 0;                    ///< Seconds since 1970, UTC.
  std::int64_t max_age_s = 0;                ///< What is older is shown to nobody; 0: any age.
};

/// What decides which faces are asked about. For experiments; people are asked by kWorth.
enum class Picking {
  kWorth,   ///< As pick_questions() says.
  kUnsure,  ///< The least margin of the two likeliest classes alone (margin sampling).
  kRandom,  ///< Any.
};
struct PickBy {
  Picking picking = Picking::kWorth;
  std::uint64_t seed = 1;  ///< Of kRandom.
};

/// At most `n` questions, the most instructive first; one a tracklet, and one an identity (a track
/// of a source). Those without a picture in memory are left out, and those of `hidden` sources.
///
/// Greedy. The worth of a face is the product of three numbers in [0, 1]:
/// - how unsure the teacher is: 1 less the margin of its two likeliest classes (margin sampling,
///   Scheffer et al. 2001);
/// - how rare its likely classes are among the labels so far: the mean, by its probabilities, of
///   1 / sqrt(1 + labels of the class);
/// - how far it is from every face that is labelled or picked already: the least cosine distance of
///   their features, at most 1 (core-set selection, Sener and Savarese 2018).
FER_API std::vector<LabelQuestion> pick_questions(const std::vector<SampleMemory::Item>& remembered,
                                                  const KnownLabels& known, std::size_t n,
                                                  const std::set<std::string>& hidden = {},
                                                  const PickBy& by = {});

}  // namespace fer
