// Faces of streams on their way into a learner's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "network/model_file.h"
#include "stream/adapted_networks.h"
#include "stream/evidence_maker.h"
#include "stream/face_sample.h"
#include "stream/gates.h"
#include "stream/label_picker.h"
#include "stream/label_question.h"
#include "stream/learner_config.h"
#include "stream/learner_counts.h"
#include "stream/ood_gate.h"
#include "stream/sample_memory.h"
#include "stream/stream_labels.h"
#include "stream/teacher.h"
#include "stream/tracklet.h"

namespace fer {

/// Quality gates, tracklets and the out-of-distribution gate, in this order; what passes them all
/// is remembered.
class FaceIngestion {
 public:
  /// `networks` and `teacher` must outlive it. `ood_gate`: nullopt trusts every source.
  FaceIngestion(const OnlineConfig& config, const ModelFile& source, AdaptedNetworks& networks,
                const Teacher& teacher, std::optional<OodGate> ood_gate);

  /// Takes faces in the order in which they came. Throws std::invalid_argument for a crop of
  /// another size than the model's input.
  void observe(std::vector<FaceSample> faces, LearnerCounts& counts);
  /// Ends the open tracklets of a source, or of all sources.
  void end_of(const std::optional<std::string>& source, LearnerCounts& counts);
  /// A tracklet that another machine made, `age_s` seconds old. Throws std::invalid_argument where
  /// it does not fit the networks.
  void take(Evidence evidence, std::int64_t age_s, LearnerCounts& counts);

  /// A labelled face of the stream. Gates do not apply: somebody chose it. Throws
  /// std::invalid_argument for a crop of another size, and for a label that is no class.
  void add_label(const FaceSample& face, int label);

  /// Remembered faces to ask people about, the most instructive first; see label_picker.h.
  std::vector<LabelQuestion> questions(std::size_t n, const std::set<std::string>& hidden,
                                       const PickBy& by) const;
  /// A question was answered, by a label (nullopt) or otherwise: it is not asked again. A labelled
  /// tracklet leaves the memory, where the teacher would go on to label it; so does no face.
  void settle(std::uint64_t id, std::optional<LabelAnswer> answer);

  /// Drops faces that are older than max_sample_age; whether there were any.
  bool expire();

  const StreamLabels& labels() const { return labels_; }
  SampleMemory& memory() { return memory_; }
  const SampleMemory& memory() const { return memory_; }
  const std::optional<OodGate>& ood_gate() const { return ood_gate_; }
  /// Remembered tracklets that nobody could tell.
  const std::set<std::uint64_t>& settled() const { return settled_; }
  /// A memory of these settings with nothing in it.
  SampleMemory empty_memory() const;

  /// Goes on from a checkpoint. Open tracklets are not part of one.
  void restore(SampleMemory memory, StreamLabels labels, std::optional<OodGate> ood_gate,
               std::set<std::uint64_t> settled);
  /// Drops memory, open tracklets and what the gate knows of sources. Labels stay: they are true
  /// whatever was learnt.
  void forget();

 private:
  void remember(std::vector<Evidence> ended, std::int64_t age_s, LearnerCounts& counts);
  std::optional<Refusal> refusal_of(const Evidence& evidence);

  const OnlineConfig config_;
  const ModelInfo model_;
  const std::size_t latent_bytes_, features_;  ///< Of one face.
  EvidenceMaker maker_;
  SampleMemory memory_;
  StreamLabels labels_;
  std::optional<OodGate> ood_gate_;
  std::set<std::uint64_t> settled_;  ///< As settled().
};

}  // namespace fer
