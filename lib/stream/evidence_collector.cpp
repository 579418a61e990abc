#include "stream/evidence_collector.h"

#include <torch/torch.h>

#include <stdexcept>
#include <utility>

#include "model/device_name.h"
#include "network/model_file.h"
#include "network/torch_threads.h"
#include "stream/adapted_networks.h"
#include "stream/evidence_maker.h"
#include "stream/learner_counts.h"
#include "stream/teacher.h"

namespace fer {
namespace {

OnlineConfig checked(OnlineConfig config) {
  config.check();
  if (config.store != SampleStore::kLatents)
    throw std::runtime_error("a collector sends latents: expected store=latents");
  config.device = resolve_device(config.device);
  return config;
}

}  // namespace

class EvidenceCollector::Impl {
 public:
  Impl(const std::filesystem::path& source, const LowerHalf& lower_half, const OnlineConfig& config,
       int threads)
      : config_(checked(config)),
        threads_(threads),
        source_(with_calibration_in_head(read_model(source))),
        networks_(source_, lower_half.blocks, config_.momentum, torch::Device(config_.device)),
        teacher_(networks_, prior_correction(source_.info.prior,
                                             config_.guards.prior ? config_.prior_correction : 0)),
        maker_(config_, source_, networks_, teacher_) {}

  std::vector<Evidence> observe(std::vector<FaceSample> faces) {
    const TorchThreadLimit limit(threads_);
    return passed(maker_.observe(std::move(faces), learner_counts_));
  }
  std::vector<Evidence> end_of(const std::optional<std::string>& source) {
    return passed(maker_.end_of(source));
  }
  const Counts& counts() const { return counts_; }

 private:
  std::vector<Evidence> passed(std::vector<Evidence> ended) {
    counts_.tracklets += ended.size();
    std::erase_if(ended, [&](const Evidence& evidence) {
      const auto refusal = maker_.refuse(evidence);
      if (refusal) ++learner_counts_.refused[name_of(*refusal)];
      return refusal.has_value();
    });
    for (Evidence& evidence : ended) evidence.crops.clear();
    counts_.faces = learner_counts_.faces;
    counts_.refused = learner_counts_.refused;
    return ended;
  }

  const OnlineConfig config_;
  const int threads_;
  const ModelFile source_;
  AdaptedNetworks networks_;
  const Teacher teacher_;
  EvidenceMaker maker_;
  LearnerCounts learner_counts_;
  Counts counts_;
};

EvidenceCollector::EvidenceCollector(const std::filesystem::path& source,
                                     const LowerHalf& lower_half, const OnlineConfig& config,
                                     int threads)
    : impl_(std::make_unique<Impl>(source, lower_half, config, threads)) {}
EvidenceCollector::~EvidenceCollector() = default;

std::vector<Evidence> EvidenceCollector::observe(std::vector<FaceSample> faces) {
  return impl_->observe(std::move(faces));
}
std::vector<Evidence> EvidenceCollector::end_of(const std::optional<std::string>& source) {
  return impl_->end_of(source);
}
const EvidenceCollector::Counts& EvidenceCollector::counts() const {
  return impl_->counts();
}

}  // namespace fer
