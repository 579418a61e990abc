#include "learn/run/initial_weights.h"

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "learn/data/batches.h"
#include "learn/run/module_run.h"
#include "model/network_layout.h"
#include "network/model_file.h"
#include "network/network.h"

namespace fer {
namespace {

/// The fields that fix the weights' shapes and sizes, of which `mine` and `theirs` differ in some,
/// as "widths [8,12]": one text for each.
std::pair<std::string, std::string> differences(const NetworkConfig& mine,
                                                const NetworkConfig& theirs) {
  std::set<std::string> free{"name", "classes", "drop_branch", "drop_feature", "dropout"};
  // What the start has and the network has not is left out.
  if (mine.attention_branches == 0) free.insert({"attention_branches", "attention_reduction"});
  const nlohmann::json a = mine, b = theirs;
  std::string left, right;
  for (const auto& [key, value] : a.items()) {
    if (free.contains(key) || b.at(key) == value) continue;
    const char* comma = left.empty() ? "" : ", ";
    left += comma + key + " " + value.dump();
    right += comma + key + " " + b.at(key).dump();
  }
  return {left, right};
}

}  // namespace

InitialWeights::InitialWeights(const std::filesystem::path& file)
    : name_(file.string()), model_(std::make_shared<const ModelFile>(read_start(file))) {}

const std::string& InitialWeights::version() const {
  return model_->info.version;
}

PixelStats InitialWeights::stats() const {
  return {model_->info.mean, model_->info.stddev};
}

void InitialWeights::copy_to(NetworkImpl& network, const std::vector<std::string>& labels) const {
  const auto [expected, found] = differences(network.config(), model_->info.network);
  if (!expected.empty()) {
    throw std::runtime_error(name_ + ": expected the weights of the network to train (" + expected +
                             "), found those of another (" + found + ")");
  }
  auto weights = model_->weights;
  if (model_->info.labels != labels) {
    for (const auto& [name, tensor] : state_of(network))
      if (is_of_head(name)) weights[name] = tensor;
  }
  copy_state(weights, network, name_);
}

void InitialWeights::copy_trunk_to(NetworkImpl& network, int blocks) const {
  auto weights = model_->weights;
  for (const auto& [name, tensor] : state_of(network))
    if (!network.is_in_trunk(name, static_cast<std::size_t>(blocks))) weights[name] = tensor;
  copy_state(weights, network, name_);
}

}  // namespace fer
