#include "stream/tent.h"

#include <torch/torch.h>

#include <span>
#include <stdexcept>
#include <string>

#include "learn/data/batches.h"
#include "learn/optim/sgd.h"
#include "learn/run/model_network.h"
#include "learn/run/module_run.h"
#include "network/model_file.h"
#include "network/network.h"

namespace fer {

class Tent::Impl {
 public:
  Impl(const ModelFile& source, const TentConfig& config)
      : config_(config),
        source_(with_calibration_in_head(source)),
        network_(network_of(source_, "the source model")) {
    for (torch::Tensor& parameter : network_->parameters()) parameter.set_requires_grad(false);
    for (const auto& module : network_->modules()) {
      auto* norm = module->as<torch::nn::BatchNorm2d>();
      if (norm == nullptr) continue;
      norm->train();  // statistics of the batch; the running ones follow
      norm->weight.set_requires_grad(true);
      norm->bias.set_requires_grad(true);
    }
    sgd_ = std::make_unique<Sgd>(*network_, config_.momentum, /*weight_decay=*/0);
  }

  void observe(const std::vector<FaceSample>& faces) {
    const NetworkConfig& n = source_.info.network;
    for (const FaceSample& face : faces) {
      if (face.crop.size() != crop_bytes(n)) {
        throw std::invalid_argument("a crop of " + std::to_string(face.crop.size()) +
                                    " bytes; expected " + std::to_string(crop_bytes(n)));
      }
      waiting_.push_back(face.crop);
      if (waiting_.size() < static_cast<std::size_t>(config_.batch)) continue;
      step();
      waiting_.clear();
    }
  }

  std::uint64_t steps() const { return steps_; }

  ModelFile adapted() const {
    ModelFile model{source_.info, {}};
    for (const auto& [name, tensor] : state_of(*network_))
      model.weights[name] = tensor.detach().clone().contiguous();
    model.info.parent = source_.info.version;
    model.info.version = version_of(model);
    model.info.provenance = {{"adapted_from", source_.info.version},
                             {"tent",
                              {{"batch", config_.batch},
                               {"learning_rate", config_.learning_rate},
                               {"momentum", config_.momentum}}},
                             {"steps", steps_}};
    return model;
  }

 private:
  void step() {
    const NetworkConfig& n = source_.info.network;
    const std::vector<std::span<const std::uint8_t>> crops(waiting_.begin(), waiting_.end());
    const torch::Tensor images =
        plain_images(crops, n.channels, n.input_size, {source_.info.mean, source_.info.stddev});
    const torch::Tensor log_p =
        torch::log_softmax(network_(images.contiguous(torch::MemoryFormat::ChannelsLast)), 1);
    const torch::Tensor entropy = -(log_p.exp() * log_p).sum(1).mean();
    entropy.backward();
    sgd_->step(config_.learning_rate);
    ++steps_;
  }

  const TentConfig config_;
  const ModelFile source_;
  Network network_;
  std::unique_ptr<Sgd> sgd_;
  std::vector<std::vector<std::uint8_t>> waiting_;
  std::uint64_t steps_ = 0;
};

Tent::Tent(const ModelFile& source, const TentConfig& config)
    : impl_(std::make_unique<Impl>(source, config)) {}

Tent::~Tent() = default;

void Tent::observe(const std::vector<FaceSample>& faces) {
  impl_->observe(faces);
}
std::uint64_t Tent::steps() const {
  return impl_->steps();
}
ModelFile Tent::adapted() const {
  return impl_->adapted();
}

}  // namespace fer
