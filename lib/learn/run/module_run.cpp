#include "learn/run/module_run.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_sub.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numbers>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "learn/run/checkpoint.h"
#include "learn/run/run_settings.h"
#include "model/atomic_file.h"
#include "util/json_text.h"

namespace fer {

using nlohmann::json;

namespace {

void copy_tensors(const std::map<std::string, torch::Tensor>& from,
                  std::map<std::string, torch::Tensor> to, const std::string& where) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : to) {
    const auto it = from.find(name);
    if (it == from.end() || it->second.sizes() != tensor.sizes())
      throw std::runtime_error(where + ": no tensor \"" + name + "\" of the network's shape");
    tensor.copy_(it->second);
  }
}

}  // namespace

std::map<std::string, torch::Tensor> state_of(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : module.named_buffers())
    if (item.value().is_floating_point()) state[item.key()] = item.value();
  return state;
}

std::map<std::string, torch::Tensor> state_in_memory(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> state = state_of(module);
  for (auto& [name, tensor] : state) tensor = tensor.to(torch::kCPU);
  return state;
}

void copy_state(const std::map<std::string, torch::Tensor>& from, torch::nn::Module& to,
                const std::string& where) {
  copy_tensors(from, state_of(to), where);
}

void to_channels_last(torch::nn::Module& module) {
  torch::NoGradGuard no_grad;
  for (auto& parameter : module.parameters())
    if (parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
}

void prepare_process(int threads, const ProcessGroup* group) {
  // LibTorch's own default is one thread on machines of two cores.
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  at::set_num_threads(threads > 0 ? threads
                                  : std::max(1, cores / (group ? group->local_size() : 1)));
  // Every step frees and asks again for the same large blocks. glibc would hand each back to the
  // kernel, whose clearing of pages is a seventh of a step; this keeps them in the process.
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

double warm_cosine(double t, double step, double warm, double end) {
  if (t < warm) return (t + step) / (warm + step);
  return 0.5 * (1 + std::cos(std::numbers::pi * (t - warm) / (end - warm)));
}

ModuleRun::ModuleRun(std::shared_ptr<torch::nn::Module> network,
                     std::shared_ptr<torch::nn::Module> average, double ema,
                     std::filesystem::path out, ProcessGroup* group)
    : network_(std::move(network)),
      average_(std::move(average)),
      ema_(ema),
      out_(std::move(out)),
      group_(group) {
  to_channels_last(*network_);
  to_channels_last(*average_);
  copy_state(state_of(*network_), *average_, "new network");
  average_->eval();
  for (const auto& [name, tensor] : state_of(*network_)) from_.push_back(tensor);
  for (const auto& [name, tensor] : state_of(*average_)) to_.push_back(tensor);
  if (writes()) lock_.emplace(out_, "training", FolderLock::Children::kNoHold);
}

void ModuleRun::resume(const json& identity, const Tensors& kept) {
  identity_ = identity;
  kept_ = kept;
  if (group_) group_->require_same(identity.dump(), "options or data");
  if (writes()) read_checkpoint_of_folder();
  if (group_) agree();
  epoch = first_epoch_ = state_.value("epoch", 0);
  steps_ = state_.value("steps", std::int64_t{0});
  seconds_before_ = state_.value("seconds", 0.0);
  if (writes()) truncate_log();
}

void ModuleRun::read_checkpoint_of_folder() {
  const auto path = out_ / "checkpoint";
  if (!std::filesystem::exists(path)) return;
  const Checkpoint c = read_checkpoint(path);
  if (c.state.value("config", json()) != identity_) {
    throw std::runtime_error(path.string() + ": was made with other settings or data (" +
                             settings_difference(c.state.value("config", json()), identity_) +
                             "); use them, or name another folder");
  }
  const auto part = [&](const std::string& prefix) {
    Tensors tensors;
    for (const auto& [name, tensor] : c.tensors)
      if (name.compare(0, prefix.size(), prefix) == 0) tensors[name.substr(prefix.size())] = tensor;
    return tensors;
  };
  copy_state(part("network."), *network_, path.string());
  copy_state(part("ema."), *average_, path.string());
  copy_tensors(c.tensors, kept_, path.string());
  extra = part("extra.");
  state_ = c.state;
}

void ModuleRun::agree() {
  json told{{"state", state_}, {"extra", json::object()}};
  for (const auto& [name, tensor] : extra)
    told["extra"][name] = {{"shape", tensor.sizes().vec()},
                           {"type", static_cast<int>(tensor.scalar_type())}};
  told = json::parse(group_->broadcast(told.dump()));
  state_ = told["state"];
  for (const auto& [name, like] : told["extra"].items()) {
    // Tensors that only rank 0 has, from its checkpoint.
    if (extra.contains(name)) continue;
    extra[name] = torch::empty(like["shape"].get<std::vector<std::int64_t>>(),
                               static_cast<torch::ScalarType>(like["type"].get<int>()));
  }
  std::vector<torch::Tensor> tensors;
  for (const Tensors& part : {state_of(*network_), state_of(*average_), kept_, extra})
    for (const auto& [name, tensor] : part) tensors.push_back(tensor);
  group_->broadcast(tensors);
}

void ModuleRun::step() {
  torch::NoGradGuard no_grad;
  ++steps_;
  // The decay is smaller in the first steps, so that the random first weights are soon forgotten.
  const auto n = static_cast<double>(steps_);
  const double decay = std::min(ema_, (1 + n) / (10 + n));
  // Adding a part of the difference keeps frozen weights as they are, bit for bit.
  const std::vector<torch::Tensor> apart = torch::_foreach_sub(from_, to_);
  torch::_foreach_add_(to_, apart, 1 - decay);
}

void ModuleRun::finish_epoch(
    json& entry, const char* score,
    const std::function<void(const std::filesystem::path&, const json& entry)>& save) {
  entry["epoch"] = epoch;
  entry["seconds"] = seconds();
  if (group_) agree();
  state_["last"] = entry;
  const bool best = score && (!state_.contains("best") || entry[score] > state_["best"][score]);
  if (best) state_["best"] = entry;
  if (writes()) {
    save(out_ / "last.fer", entry);
    if (best) save(out_ / "best.fer", entry);
    // The log line first: a run that is killed between the two drops it and writes it again. The
    // other way round, the line would be missing for good.
    log(entry);
    checkpoint();
  }
  ++epoch;
}

torch::Tensor ModuleRun::mean(const torch::Tensor& own) const {
  torch::Tensor result = own.detach().clone();
  if (group_) group_->average({result});
  return result;
}

void ModuleRun::check_finite(double loss) const {
  if (std::isfinite(loss)) return;
  throw std::runtime_error("the loss is no longer finite in epoch " + std::to_string(epoch) +
                           "; try a smaller learning rate");
}

double ModuleRun::seconds_left(double done, double all) const {
  const double here = seconds_since(started_);
  return here / (done - first_epoch_) * (all - done);
}

TrainResult ModuleRun::result(bool stopped) const {
  return {state_.value("best", json()), state_.value("last", json()), stopped, seconds()};
}

double ModuleRun::seconds() const {
  return seconds_before_ + seconds_since(started_);
}

void ModuleRun::checkpoint() {
  Checkpoint c;
  for (const auto& [name, tensor] : state_of(*network_)) c.tensors["network." + name] = tensor;
  for (const auto& [name, tensor] : state_of(*average_)) c.tensors["ema." + name] = tensor;
  for (const auto& [name, tensor] : kept_) c.tensors[name] = tensor;
  for (const auto& [name, tensor] : extra) c.tensors["extra." + name] = tensor;
  state_["epoch"] = epoch + 1;
  state_["steps"] = steps_;
  state_["seconds"] = seconds();
  state_["config"] = identity_;
  c.state = state_;
  write_checkpoint(out_ / "checkpoint", c);
}

void ModuleRun::truncate_log() const {
  std::ifstream in(out_ / "log.jsonl");
  if (!in) return;
  std::ostringstream kept;
  for (std::string line; std::getline(in, line);) {
    const json entry = json::parse(line, nullptr, false);
    if (entry.is_object() && entry.value("epoch", epoch) < epoch) kept << line << '\n';
  }
  write_atomically(out_ / "log.jsonl", {kept.view()});
}

void ModuleRun::log(const json& entry) const {
  std::ofstream file(out_ / "log.jsonl", std::ios::app);
  file << json_text(entry) << std::endl;
  if (!file) throw std::runtime_error((out_ / "log.jsonl").string() + ": cannot be written");
}

}  // namespace fer
