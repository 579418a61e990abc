#include "sweep/experiment.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "util/join.h"
#include "util/read_file.h"

namespace fer {
namespace {

using json = nlohmann::ordered_json;

/// No list of runs comes near it.
constexpr std::uintmax_t kMaxBytes = 16 << 20;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {
    try {
      json_ = json::parse(read_file(path, kMaxBytes));
    } catch (const json::parse_error& error) {
      fail("JSON", error.what());
    }
    if (!json_.is_object()) fail("a JSON object", json_.type_name());
    const std::string command = text_or("command", "train");
    if (command != "train" && command != "adapt") fail("\"command\" train or adapt", command);
    command_ = command == "adapt" ? ExperimentCommand::kAdapt : ExperimentCommand::kTrain;
    std::vector<std::string> known{"about", "command", "budget", "methods", cells_key(), "seeds"};
    if (command_ == ExperimentCommand::kTrain) known.push_back("pools");
    for (const auto& [key, value] : json_.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) fail(join(known), key);
    }
  }

  Experiment read() const {
    Experiment experiment;
    experiment.name = path_.stem().string();
    experiment.about = text_or("about", "");
    experiment.budget = object("budget");
    experiment.command = command_;
    const json methods = object("methods");
    const auto seeds = numbers("seeds");
    const auto shared = options_of("budget", experiment.budget);
    for (const ExperimentRun& cell : cells()) {
      for (const auto& [method, own] : methods.items()) {
        if (method.find_first_not_of(kNameLetters) != std::string::npos) {
          fail("\"methods\" with names of letters, digits, dots, dashes and underscores", method);
        }
        for (const std::uint64_t seed : seeds) {
          ExperimentRun run = cell;
          run.method = method;
          run.seed = seed;
          run.name = method + "-" + cell.name + "-seed" + std::to_string(seed);
          const auto extra = options_of("methods", own);
          run.options.insert(run.options.begin(), extra.begin(), extra.end());
          run.options.insert(run.options.begin(), shared.begin(), shared.end());
          run.options.insert(run.options.end(), {"--seed", std::to_string(seed)});
          if (command_ == ExperimentCommand::kAdapt)
            run.options.insert(run.options.end(), {"--order-seed", std::to_string(seed)});
          experiment.runs.push_back(std::move(run));
        }
      }
    }
    return experiment;
  }

 private:
  static constexpr const char* kNameLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    throw std::runtime_error(path_.string() + ": expected " + expected + ", found " + found);
  }

  std::string text_or(const char* key, const std::string& otherwise) const {
    const auto found = json_.find(key);
    if (found == json_.end()) return otherwise;
    if (!found->is_string()) fail(std::string("\"") + key + "\" to be a text", found->dump());
    return found->get<std::string>();
  }

  /// A run that stands there twice would work in one folder with itself.
  template <typename T>
  void require_new(const char* key, const std::vector<T>& before, const T& value,
                   const json& found) const {
    if (std::find(before.begin(), before.end(), value) == before.end()) return;
    fail(std::string("\"") + key + "\" to hold nothing twice", found.dump());
  }

  json object(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end() || !found->is_object() || found->empty()) {
      fail(std::string("\"") + key + "\" to be an object with members",
           found == json_.end() ? "none" : found->dump());
    }
    return *found;
  }

  /// What a run is of, beside method and seed.
  const char* cells_key() const {
    return command_ == ExperimentCommand::kAdapt ? "orders" : "labels_per_class";
  }

  /// Runs without method and seed; the name is their part of it.
  std::vector<ExperimentRun> cells() const {
    std::vector<ExperimentRun> all;
    if (command_ == ExperimentCommand::kAdapt) {
      for (const std::string& order : texts(cells_key())) {
        ExperimentRun& run = all.emplace_back();
        run.name = run.order = order;
        run.options = {"--order", order};
      }
      return all;
    }
    for (const auto& [pool, options] : pools()) {
      for (const std::uint64_t n : numbers(cells_key())) {
        ExperimentRun& run = all.emplace_back();
        run.name = n == 0 ? "all" : std::to_string(n);
        run.labels_per_class = static_cast<int>(n);
        if (n > 0) run.options = {"--labels-per-class", run.name};
        if (pool.empty()) continue;
        run.pool = pool;
        run.name = pool + "-" + run.name;
        run.options.insert(run.options.end(), options.begin(), options.end());
      }
    }
    return all;
  }

  /// By name, with their options; one without a name where the file has none.
  std::vector<std::pair<std::string, std::vector<std::string>>> pools() const {
    if (!json_.contains("pools")) return {{}};
    std::vector<std::pair<std::string, std::vector<std::string>>> all;
    const json pools = object("pools");
    for (const auto& [name, own] : pools.items()) {
      if (name.empty() || name.find_first_not_of(kNameLetters) != std::string::npos) {
        fail("\"pools\" with names of letters, digits, dots, dashes and underscores", name);
      }
      all.emplace_back(name, options_of("pools", own));
    }
    return all;
  }

  std::vector<std::string> texts(const char* key) const {
    const auto found = json_.find(key);
    const std::string expected = std::string("\"") + key + "\" to be a list of names";
    if (found == json_.end() || !found->is_array() || found->empty())
      fail(expected, found == json_.end() ? "none" : found->dump());
    std::vector<std::string> values;
    for (const json& value : *found) {
      if (!value.is_string() ||
          value.get<std::string>().find_first_not_of(kNameLetters) != std::string::npos)
        fail(expected, value.dump());
      require_new(key, values, value.get<std::string>(), *found);
      values.push_back(value.get<std::string>());
    }
    return values;
  }

  std::vector<std::uint64_t> numbers(const char* key) const {
    const auto found = json_.find(key);
    const std::string expected = std::string("\"") + key + "\" to be a list of whole numbers";
    if (found == json_.end() || !found->is_array() || found->empty()) {
      fail(expected, found == json_.end() ? "none" : found->dump());
    }
    std::vector<std::uint64_t> values;
    for (const json& value : *found) {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 1'000'000'000) {
        fail(expected, value.dump());
      }
      require_new(key, values, value.get<std::uint64_t>(), *found);
      values.push_back(value.get<std::uint64_t>());
    }
    return values;
  }

  std::vector<std::string> options_of(const char* member, const json& values) const {
    if (!values.is_object()) fail(std::string("options in \"") + member + "\"", values.dump());
    std::vector<std::string> options;
    for (const auto& [name, value] : values.items()) {
      const std::string option = std::string("--").append(name);
      if (value.is_boolean()) {
        if (value.get<bool>()) options.push_back(option);
        continue;
      }
      for (const json& one : value.is_array() ? value : json::array({value})) {
        if (!one.is_string() && !one.is_number()) {
          fail(
              std::string("\"") + member + "\" to hold texts, numbers, lists of these and switches",
              name + ": " + value.dump());
        }
        options.push_back(option);
        options.push_back(one.is_string() ? one.get<std::string>() : one.dump());
      }
    }
    return options;
  }

  const std::filesystem::path path_;
  json json_;
  ExperimentCommand command_ = ExperimentCommand::kTrain;
};

}  // namespace

Experiment read_experiment(const std::filesystem::path& path) {
  return Reader(path).read();
}

}  // namespace fer
