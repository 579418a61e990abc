// Whether a model that another machine learnt may serve here.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "export.h"
#include "stream/learner_config.h"

namespace fer {

struct StoredModel;

/// Holds a model against this machine's own canary, as a learner does with its candidates. The
/// measure is the source alone: what served in between has no say, so that machines of one canary
/// decide alike whatever they served before. Its interface is free of LibTorch. Not thread-safe.
class FER_API ModelTrial {
 public:
  /// What came of it.
  struct Verdict {
    bool judged = false;  ///< False: it could not be read, or is none of this source.
    std::string reason;   ///< For people.
    double score = 0;     ///< Macro recall on the canary.
    double accuracy = 0;  ///< With classes as common as in the source's prior.
    std::shared_ptr<const StoredModel> model;  ///< To be served; null where it may not.
  };

  /// `source`: the model file that all of the slot begin from. `canary`: labelled faces, as
  /// Learner::Settings has them. Throws std::runtime_error where they cannot be read or do not fit.
  ModelTrial(const std::filesystem::path& source, const std::filesystem::path& canary,
             const OnlineConfig& config);
  ~ModelTrial();
  ModelTrial(const ModelTrial&) = delete;
  ModelTrial& operator=(const ModelTrial&) = delete;

  /// Reads the model of a file. It must be the source, or adapted from it: of the same network, the
  /// same labels and the same lower half. Never throws: a file that cannot be read may not serve.
  Verdict judge(const std::filesystem::path& file);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
