// What a machine without a learner makes of the faces that it sees, for a learner elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "export.h"
#include "stream/face_sample.h"
#include "stream/learner_config.h"
#include "stream/lower_half.h"
#include "stream/tracklet.h"

namespace fer {

/// Gates and tracklets of a learner without its memory and its steps. Its interface is free of
/// LibTorch. Not thread-safe.
class FER_API EvidenceCollector {
 public:
  /// What became of the faces so far.
  struct Counts {
    std::uint64_t faces = 0;                       ///< That passed the gates.
    std::uint64_t tracklets = 0;                   ///< That came of them.
    std::map<std::string, std::uint64_t> refused;  ///< Gate → faces or tracklets.
  };

  /// `source`: the model file that all of the slot begin from; `lower_half`: of it; `threads`:
  /// LibTorch's. Throws std::runtime_error: what config.check() and reading the model throw, and
  /// where the settings keep no latents.
  EvidenceCollector(const std::filesystem::path& source, const LowerHalf& lower_half,
                    const OnlineConfig& config, int threads = 1);
  ~EvidenceCollector();
  EvidenceCollector(const EvidenceCollector&) = delete;
  EvidenceCollector& operator=(const EvidenceCollector&) = delete;

  /// Takes faces in the order in which they came. Returns the tracklets that ended by them and say
  /// enough, as latents alone: no picture. Throws std::invalid_argument for a crop of another size.
  std::vector<Evidence> observe(std::vector<FaceSample> faces);
  /// Ends the tracklets of a source, or all.
  std::vector<Evidence> end_of(const std::optional<std::string>& source = std::nullopt);

  const Counts& counts() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
