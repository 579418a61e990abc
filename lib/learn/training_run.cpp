#include "learn/training_run.h"

#include <ATen/Parallel.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numbers>
#include <span>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "learn/autocast.h"
#include "learn/checkpoint.h"
#include "model/atomic_file.h"
#include "model/model_file.h"

namespace fer {
namespace {

using nlohmann::json;

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

}  // namespace

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

void prepare_process(int threads) {
  // LibTorch's own default is one thread on machines of two cores.
  at::set_num_threads(
      threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  keep_freed_memory();
}

double warm_cosine(double t, double step, double warm, double end) {
  if (t < warm) return (t + step) / (warm + step);
  return 0.5 * (1 + std::cos(std::numbers::pi * (t - warm) / (end - warm)));
}

Confusion confusion_of(Network& network, const PackedDataset& data, const LabelledRows& labelled,
                       const std::vector<std::string>& names, PixelStats stats, bool bf16) {
  torch::NoGradGuard no_grad;
  Bf16Scope scope(bf16);
  Confusion confusion(names);
  constexpr std::size_t kChunk = 256;
  const std::span<const std::size_t> rows(labelled.rows);
  for (std::size_t i = 0; i < rows.size(); i += kChunk) {
    const auto part = rows.subspan(i, std::min(kChunk, rows.size() - i));
    const torch::Tensor predicted = network(plain_images(data, part, stats)).argmax(1);
    const auto prediction = predicted.accessor<std::int64_t, 1>();
    for (std::size_t j = 0; j < part.size(); ++j)
      confusion.add(labelled.labels[i + j],
                    static_cast<int>(prediction[static_cast<std::int64_t>(j)]));
  }
  return confusion;
}

void write_validation(json& entry, const Confusion& confusion) {
  const json all = confusion.to_json();
  for (const char* key : {"accuracy", "macro_recall", "recall", "confusion", "labels"})
    entry[key] = all[key];
}

TrainingRun::TrainingRun(const ModelInfo& info, const Settings& settings, std::filesystem::path out)
    : info_(info), settings_(settings), out_(std::move(out)) {
  torch::manual_seed(settings.seed);
  network = Network(info.network);
  average = Network(info.network);
  lay_out_channels_last(network);
  lay_out_channels_last(average);
  copy_state(state_of(network), average, "new network");
  average->eval();
  sgd_.emplace(*network, settings.momentum, settings.weight_decay);
  std::filesystem::create_directories(out_);
}

void TrainingRun::resume(const json& identity) {
  identity_ = identity;
  const auto path = out_ / "checkpoint";
  if (!std::filesystem::exists(path)) return truncate_log();
  const Checkpoint c = read_checkpoint(path);
  if (c.state.value("config", json()) != identity) {
    throw std::runtime_error(path.string() +
                             ": was made with other settings; use them, or another folder. "
                             "Differences: " +
                             json::diff(c.state.value("config", json()), identity).dump());
  }
  const auto part = [&](const std::string& prefix) {
    std::map<std::string, torch::Tensor> tensors;
    for (const auto& [name, tensor] : c.tensors)
      if (name.compare(0, prefix.size(), prefix) == 0) tensors[name.substr(prefix.size())] = tensor;
    return tensors;
  };
  copy_state(part("network."), network, path.string());
  copy_state(part("ema."), average, path.string());
  const auto velocity = part("velocity.");
  for (auto& [name, tensor] : sgd_->velocity) tensor.copy_(velocity.at(name));
  extra = part("extra.");
  state_ = c.state;
  epoch = first_epoch_ = state_.at("epoch");
  steps_ = state_.at("steps");
  seconds_before_ = state_.at("seconds");
  truncate_log();
}

void TrainingRun::step(double learning_rate) {
  sgd_->step(learning_rate);
  torch::NoGradGuard no_grad;
  ++steps_;
  // A short memory at first, so that the random start is soon forgotten.
  const auto n = static_cast<double>(steps_);
  const double decay = std::min(settings_.ema, (1 + n) / (10 + n));
  const auto from = state_of(network);
  for (auto& [name, tensor] : state_of(average)) tensor.lerp_(from.at(name), 1 - decay);
}

void TrainingRun::finish_epoch(json& entry, const char* score, const json& provenance,
                               const json& thresholds) {
  entry["epoch"] = epoch;
  entry["seconds"] = seconds();
  state_["last"] = entry;
  save("last.fer", entry, provenance, thresholds);
  if (!state_.contains("best") || entry[score] > state_["best"][score]) {
    state_["best"] = entry;
    save("best.fer", entry, provenance, thresholds);
  }
  // The line first: a run that was killed between the two drops it and writes it again, while
  // one that lacked it would never come back to this epoch.
  log(entry);
  checkpoint();
  ++epoch;
}

void TrainingRun::check_finite(double loss) const {
  if (std::isfinite(loss)) return;
  throw std::runtime_error("the loss is no longer finite in epoch " + std::to_string(epoch) +
                           "; try a smaller learning rate");
}

double TrainingRun::seconds_left(double done, double all) const {
  const double here = std::chrono::duration<double>(Clock::now() - started_).count();
  return here / (done - first_epoch_) * (all - done);
}

TrainResult TrainingRun::result(bool stopped) const {
  return {state_.value("best", json()), state_.value("last", json()), stopped, seconds()};
}

double TrainingRun::seconds() const {
  return seconds_before_ + std::chrono::duration<double>(Clock::now() - started_).count();
}

void TrainingRun::save(const char* name, const json& entry, const json& provenance,
                       const json& thresholds) const {
  ModelFile model;
  model.info = info_;
  model.info.provenance = provenance;
  json valid = entry;
  // Of use beside the curves of a log, not to who serves the model.
  valid.erase("confusion");
  valid.erase("labels");
  model.info.provenance["valid"] = std::move(valid);
  model.info.thresholds = thresholds;
  model.weights = state_of(average);
  write_model(out_ / name, model);
}

void TrainingRun::checkpoint() {
  Checkpoint c;
  for (const auto& [name, tensor] : state_of(network)) c.tensors["network." + name] = tensor;
  for (const auto& [name, tensor] : state_of(average)) c.tensors["ema." + name] = tensor;
  for (const auto& [name, tensor] : sgd_->velocity) c.tensors["velocity." + name] = tensor;
  for (const auto& [name, tensor] : extra) c.tensors["extra." + name] = tensor;
  state_["epoch"] = epoch + 1;
  state_["steps"] = steps_;
  state_["seconds"] = seconds();
  state_["config"] = identity_;
  c.state = state_;
  write_checkpoint(out_ / "checkpoint", c);
}

void TrainingRun::truncate_log() const {
  std::ifstream in(out_ / "log.jsonl");
  if (!in) return;
  std::ostringstream kept;
  for (std::string line; std::getline(in, line);) {
    const json entry = json::parse(line, nullptr, false);
    if (entry.is_object() && entry.value("epoch", epoch) < epoch) kept << line << '\n';
  }
  write_atomically(out_ / "log.jsonl", {kept.view()});
}

void TrainingRun::log(const json& entry) const {
  std::ofstream file(out_ / "log.jsonl", std::ios::app);
  file << entry.dump() << std::endl;
  if (!file) throw std::runtime_error((out_ / "log.jsonl").string() + ": cannot be written");
}

}  // namespace fer
