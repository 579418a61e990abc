// The head that a stream's faces, labelled or not, ask for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "network/model_file.h"
#include "stream/learner_config.h"
#include "stream/linear_head.h"
#include "stream/sample_memory.h"
#include "stream/stream_labels.h"

namespace fer {

/// A head for the source's features, and for people what it was made of.
struct HeadProposal {
  LinearHead head;
  std::string made_of;  ///< "prototypes of 212 faces".
};

/// Adapts the head alone: by prototypes of remembered faces, by labels, or by both, whichever
/// cross-validation on the labels says. The weights below never change, so that nothing is
/// forgotten that taking the source's head back would not give again.
class HeadAdapter {
 public:
  HeadAdapter(const OnlineConfig& config, const ModelFile& source);

  const LinearHead& source() const { return source_; }

  /// nullopt where there is nothing to make a head of, or where the labels tell the source's head
  /// best.
  std::optional<HeadProposal> propose(const SampleMemory& memory, const StreamLabels& labels) const;

 private:
  std::optional<HeadProposal> by_prototypes(const SampleMemory& memory) const;

  const OnlineConfig config_;
  const std::vector<float> prior_;
  const LinearHead source_;
};

}  // namespace fer
