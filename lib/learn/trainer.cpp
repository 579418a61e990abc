#include "learn/trainer.h"

#include <ATen/Parallel.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "learn/autocast.h"
#include "learn/batches.h"
#include "learn/checkpoint.h"
#include "learn/metrics.h"
#include "learn/sgd.h"
#include "model/atomic_file.h"
#include "model/model_file.h"
#include "model/network.h"

namespace fer {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// Parameters and floating-point buffers by name: all that a model file keeps.
std::map<std::string, torch::Tensor> state_of(const Network& network) {
  std::map<std::string, torch::Tensor> state;
  for (const auto& item : network->named_parameters()) state[item.key()] = item.value();
  for (const auto& item : network->named_buffers())
    if (item.value().is_floating_point()) state[item.key()] = item.value();
  return state;
}

void copy_state(const std::map<std::string, torch::Tensor>& from, Network& to,
                const std::string& where) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_of(to)) {
    const auto it = from.find(name);
    if (it == from.end() || it->second.sizes() != tensor.sizes())
      throw std::runtime_error(where + ": no tensor \"" + name + "\" of the network's shape");
    tensor.copy_(it->second);
  }
}

/// Kernels as N x H x W x C, the order in which oneDNN computes: no reordering around each
/// convolution.
void lay_out_channels_last(Network& network) {
  torch::NoGradGuard no_grad;
  for (auto& parameter : network->parameters())
    if (parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
}

/// Every step frees and asks again for the same large blocks. glibc would hand each back to the
/// kernel, whose clearing of pages is a seventh of a step; this keeps them in the process.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

torch::Tensor beta_sample(double alpha, Random& random) {
  std::gamma_distribution<double> gamma(alpha);
  const double a = gamma(random), b = gamma(random);
  return torch::tensor(a + b > 0 ? a / (a + b) : 1.0);
}

/// A run: what train() keeps while it works.
class Run {
 public:
  Run(const PackedDataset& data, const TrainConfig& config, const std::filesystem::path& out)
      : data_(data),
        config_(config),
        out_(out),
        samples_(labelled_samples(data, "train", config.min_votes)),
        network_(nullptr),
        ema_(nullptr) {
    if (samples_.size() < static_cast<std::size_t>(config.batch)) {
      throw std::runtime_error("split train has " + std::to_string(samples_.size()) +
                               " usable rows, fewer than one batch of " +
                               std::to_string(config.batch));
    }
    if (config.network.input_size != data.info().side ||
        config.network.channels != data.info().channels ||
        config.network.classes != static_cast<int>(data.info().labels.size())) {
      throw std::runtime_error("the network takes " + std::to_string(config.network.channels) +
                               " x " + std::to_string(config.network.input_size) + " px and " +
                               std::to_string(config.network.classes) + " classes, the data has " +
                               std::to_string(data.info().channels) + " x " +
                               std::to_string(data.info().side) + " px and " +
                               std::to_string(data.info().labels.size()));
    }
    for (std::size_t row : data.rows("valid"))
      if (!data.duplicate(row) && data.label(row) >= 0) valid_.push_back(row);
    if (valid_.empty()) throw std::runtime_error("split valid has no labelled rows to select by");
    stats_ = pixel_stats(data, samples_);
    prior_ = class_shares(samples_, 0);
    const auto drawn = class_shares(samples_, config.balance);
    const auto k = static_cast<std::int64_t>(prior_.size());
    offset_ = torch::empty({k});
    for (std::int64_t i = 0; i < k; ++i) offset_[i] = std::log(drawn[i]) - std::log(prior_[i]);

    torch::manual_seed(config.seed);
    network_ = Network(config.network);
    ema_ = Network(config.network);
    lay_out_channels_last(network_);
    lay_out_channels_last(ema_);
    copy_state(state_of(network_), ema_, "new network");
    ema_->eval();
    for (const auto& path : config.teachers) {
      const ModelFile file = read_model(path);
      if (file.info.labels != data.info().labels ||
          file.info.network.input_size != data.info().side ||
          file.info.network.channels != data.info().channels)
        throw std::runtime_error(path.string() +
                                 ": a teacher must have the data's labels, size and colour");
      Teacher teacher{Network(file.info.network), {file.info.mean, file.info.stddev}};
      copy_state(file.weights, teacher.network, path.string());
      teacher.network->eval();
      teachers_.push_back(std::move(teacher));
    }
    sgd_.emplace(*network_, config.momentum, config.weight_decay);
    std::filesystem::create_directories(out);
    resume();
  }

  TrainResult go(const std::function<void(const TrainProgress&)>& on_progress,
                 const std::function<void(const json&)>& on_epoch, const std::atomic<bool>& stop) {
    started_ = Clock::now();
    const int first = epoch_;
    for (; epoch_ < config_.epochs; ++epoch_) {
      double loss = 0;
      if (!run_epoch(loss, first, on_progress, stop)) {
        return {state_.value("best", json()), state_.value("last", json()), true};
      }
      const Confusion confusion = validate();
      json entry{{"epoch", epoch_},
                 {"loss", loss},
                 {"accuracy", confusion.accuracy()},
                 {"macro_recall", confusion.macro_recall()},
                 {"recall", confusion.to_json()["recall"]},
                 {"learning_rate", rate(epoch_, 0, 1)},
                 {"seconds", seconds_ + since_start()}};
      state_["last"] = entry;
      save("last.fer", entry);
      if (!state_.contains("best") || confusion.accuracy() > state_["best"]["accuracy"]) {
        state_["best"] = entry;
        save("best.fer", entry);
      }
      // The line first: a run that was killed between the two drops it and writes it again, while
      // one that lacked it would never come back to this epoch.
      log(entry);
      checkpoint();
      on_epoch(entry);
    }
    return {state_.value("best", json()), state_.value("last", json()), false};
  }

 private:
  struct Teacher {
    Network network;
    PixelStats stats;
  };

  double since_start() const {
    return std::chrono::duration<double>(Clock::now() - started_).count();
  }

  double rate(int epoch, int step, int steps) const {
    const double t = epoch + static_cast<double>(step) / steps;
    const double warm = std::min(2.0, config_.epochs / 10.0);
    if (t < warm) return config_.learning_rate * (t + 1.0 / steps) / (warm + 1.0 / steps);
    const double share = (t - warm) / (config_.epochs - warm);
    return config_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
  }

  /// The teachers' mean probability of each class, under the drawn prior.
  torch::Tensor teach(const torch::Tensor& images) const {
    torch::NoGradGuard no_grad;
    torch::Tensor sum;
    for (const Teacher& teacher : teachers_) {
      Network network = teacher.network;
      const double scale = stats_.stddev / teacher.stats.stddev;
      const double shift = (stats_.mean - teacher.stats.mean) / teacher.stats.stddev;
      const torch::Tensor p = torch::softmax(network(images * scale + shift) + offset_, 1);
      sum = sum.defined() ? sum + p : p;
    }
    return sum / static_cast<double>(teachers_.size());
  }

  /// The images as this epoch sees them: smaller in the early ones.
  torch::Tensor for_epoch(const torch::Tensor& images) const {
    if (epoch_ >= config_.early_epochs * config_.epochs) return images;
    const auto side = static_cast<std::int64_t>(
        std::lround(config_.early_side * static_cast<double>(images.size(2))));
    return torch::upsample_bilinear2d(images, {side, side}, /*align_corners=*/false);
  }

  /// False where `stop` was set.
  bool run_epoch(double& mean_loss, int first,
                 const std::function<void(const TrainProgress&)>& on_progress,
                 const std::atomic<bool>& stop) {
    // All randomness inside an epoch follows from seed and epoch, so that a resumed run is the
    // same.
    torch::manual_seed(config_.seed * 1000003 + static_cast<std::uint64_t>(epoch_));
    Random random(config_.seed, static_cast<std::uint64_t>(epoch_), ~1ull);
    EpochBatches batches(data_, samples_, stats_, config_.augment, config_.batch, config_.balance,
                         config_.seed, epoch_);
    network_->train();
    const int steps = batches.size();
    torch::Tensor total = torch::zeros({});
    const auto begun = Clock::now();
    for (int step = 0; step < steps; ++step) {
      if (stop) return false;
      Batch batch = *batches.next();
      Bf16Scope bf16(config_.bf16);
      torch::Tensor images = batch.images, targets = batch.targets;
      if (config_.mixup > 0) {
        const torch::Tensor lambda = beta_sample(config_.mixup, random);
        const torch::Tensor order = torch::randperm(images.size(0));
        images = lambda * images + (1 - lambda) * images.index_select(0, order);
        targets = lambda * targets + (1 - lambda) * targets.index_select(0, order);
      }
      if (!teachers_.empty())
        targets = (1 - config_.distill) * targets + config_.distill * teach(images);
      images = for_epoch(images).contiguous(torch::MemoryFormat::ChannelsLast);
      const torch::Tensor log_p = torch::log_softmax(network_(images) + offset_, 1);
      const torch::Tensor loss = -(targets * log_p).sum(1).mean();
      loss.backward();
      sgd_->step(rate(epoch_, step, steps));
      average();
      total += loss.detach();
      if (step % 10 == 9 || step + 1 == steps) {
        const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
        const double done = epoch_ - first + (step + 1.0) / steps;
        mean_loss = total.item<double>() / (step + 1);
        if (!std::isfinite(mean_loss))
          throw std::runtime_error("the loss is no longer finite in epoch " +
                                   std::to_string(epoch_) + "; try a smaller learning rate");
        on_progress({epoch_, step + 1, steps, mean_loss, (step + 1) * config_.batch / seconds,
                     since_start() / done * (config_.epochs - first - done)});
      }
    }
    return true;
  }

  /// Moves the averaged weights one step towards the network's.
  void average() {
    torch::NoGradGuard no_grad;
    ++steps_;
    // A short memory at first, so that the random start is soon forgotten.
    const double decay = std::min(config_.ema, (1.0 + steps_) / (10.0 + steps_));
    const auto from = state_of(network_);
    for (auto& [name, tensor] : state_of(ema_)) tensor.lerp_(from.at(name), 1 - decay);
  }

  Confusion validate() {
    torch::NoGradGuard no_grad;
    Bf16Scope bf16(config_.bf16);
    Confusion confusion(data_.info().labels);
    constexpr std::size_t kChunk = 256;
    for (std::size_t i = 0; i < valid_.size(); i += kChunk) {
      const std::span<const std::size_t> rows(valid_.data() + i,
                                              std::min(kChunk, valid_.size() - i));
      const torch::Tensor predictions = ema_(plain_images(data_, rows, stats_)).argmax(1);
      for (std::size_t j = 0; j < rows.size(); ++j)
        confusion.add(data_.label(rows[j]), static_cast<int>(predictions[j].item<std::int64_t>()));
    }
    return confusion;
  }

  void save(const char* name, const json& entry) {
    ModelFile model;
    model.info.network = config_.network;
    model.info.labels = data_.info().labels;
    model.info.mean = stats_.mean;
    model.info.stddev = stats_.stddev;
    model.info.align_template = data_.info().align_template;
    model.info.prior = prior_;
    model.info.provenance = {{"train", config_}, {"data", data_.info().source}, {"valid", entry}};
    model.weights = state_of(ema_);
    write_model(out_ / name, model);
  }

  /// What must agree between a checkpoint and the run that goes on from it.
  json identity() const {
    json identity = config_;
    identity.erase("threads");
    return identity;
  }

  void checkpoint() {
    Checkpoint c;
    for (const auto& [name, tensor] : state_of(network_)) c.tensors["network." + name] = tensor;
    for (const auto& [name, tensor] : state_of(ema_)) c.tensors["ema." + name] = tensor;
    for (const auto& [name, tensor] : sgd_->velocity) c.tensors["velocity." + name] = tensor;
    state_["epoch"] = epoch_ + 1;
    state_["steps"] = steps_;
    state_["seconds"] = seconds_ + since_start();
    state_["config"] = identity();
    c.state = state_;
    write_checkpoint(out_ / "checkpoint", c);
  }

  void resume() {
    const auto path = out_ / "checkpoint";
    if (!std::filesystem::exists(path)) return truncate_log();
    const Checkpoint c = read_checkpoint(path);
    if (c.state.value("config", json()) != identity()) {
      throw std::runtime_error(path.string() +
                               ": was made with other settings; use them, or another folder. "
                               "Differences: " +
                               json::diff(c.state.value("config", json()), identity()).dump());
    }
    auto part = [&](const std::string& prefix) {
      std::map<std::string, torch::Tensor> tensors;
      for (const auto& [name, tensor] : c.tensors)
        if (name.compare(0, prefix.size(), prefix) == 0)
          tensors[name.substr(prefix.size())] = tensor;
      return tensors;
    };
    copy_state(part("network."), network_, path.string());
    copy_state(part("ema."), ema_, path.string());
    const auto velocity = part("velocity.");
    for (auto& [name, tensor] : sgd_->velocity) tensor.copy_(velocity.at(name));
    state_ = c.state;
    epoch_ = state_.at("epoch");
    steps_ = state_.at("steps");
    seconds_ = state_.at("seconds");
    truncate_log();
  }

  /// A crash between log and checkpoint leaves a line of an epoch that is run again.
  void truncate_log() const {
    std::ifstream in(out_ / "log.jsonl");
    if (!in) return;
    std::ostringstream kept;
    for (std::string line; std::getline(in, line);) {
      const json entry = json::parse(line, nullptr, false);
      if (entry.is_object() && entry.value("epoch", epoch_) < epoch_) kept << line << '\n';
    }
    write_atomically(out_ / "log.jsonl", {kept.view()});
  }

  void log(const json& entry) const {
    std::ofstream file(out_ / "log.jsonl", std::ios::app);
    file << entry.dump() << std::endl;
    if (!file) throw std::runtime_error((out_ / "log.jsonl").string() + ": cannot be written");
  }

  const PackedDataset& data_;
  const TrainConfig config_;
  const std::filesystem::path out_;
  const std::vector<Sample> samples_;
  std::vector<std::size_t> valid_;
  PixelStats stats_;
  std::vector<float> prior_;
  torch::Tensor offset_;  ///< log of (drawn prior / prior): outputs assume the data's own mix.
  Network network_, ema_;
  std::vector<Teacher> teachers_;
  std::optional<Sgd> sgd_;
  json state_ = json::object();
  int epoch_ = 0;
  std::int64_t steps_ = 0;
  double seconds_ = 0;  ///< Spent before this process resumed the run.
  Clock::time_point started_;
};

}  // namespace

void to_json(json& j, const TrainConfig& c) {
  const AugmentConfig& a = c.augment;
  j = {{"network", c.network},
       {"augment",
        {{"flip", a.flip},
         {"rotation", a.rotation},
         {"scale", a.scale},
         {"stretch", a.stretch},
         {"shift", a.shift},
         {"gamma", a.gamma},
         {"contrast", a.contrast},
         {"brightness", a.brightness},
         {"blur", a.blur},
         {"noise", a.noise},
         {"erase", a.erase}}},
       {"epochs", c.epochs},
       {"batch", c.batch},
       {"learning_rate", c.learning_rate},
       {"weight_decay", c.weight_decay},
       {"momentum", c.momentum},
       {"ema", c.ema},
       {"early_epochs", c.early_epochs},
       {"early_side", c.early_side},
       {"mixup", c.mixup},
       {"balance", c.balance},
       {"min_votes", c.min_votes},
       {"distill", c.distill},
       {"teachers", json::array()},
       {"bf16", c.bf16},
       {"threads", c.threads},
       {"seed", c.seed}};
  // The content, not the place: a teacher is the same wherever it lies.
  for (const auto& path : c.teachers) j["teachers"].push_back(read_model_info(path).version);
}

TrainResult train(const PackedDataset& data, const TrainConfig& config,
                  const std::filesystem::path& out,
                  const std::function<void(const TrainProgress&)>& on_progress,
                  const std::function<void(const json&)>& on_epoch, const std::atomic<bool>& stop) {
  // LibTorch's own default is one thread on machines of two cores.
  at::set_num_threads(config.threads > 0
                          ? config.threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  keep_freed_memory();
  return Run(data, config, out).go(on_progress, on_epoch, stop);
}

}  // namespace fer
