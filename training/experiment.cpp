#include "experiment.h"

#include <fstream>
#include <set>
#include <stdexcept>

namespace fer {
namespace {

using json = nlohmann::ordered_json;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {
    std::ifstream file(path);
    if (!file) fail("a file", "none");
    try {
      json_ = json::parse(file);
    } catch (const json::parse_error& error) {
      fail("JSON", error.what());
    }
    if (!json_.is_object()) fail("a JSON object", json_.type_name());
    static const std::set<std::string> known{"about", "budget", "methods", "labels_per_class",
                                             "seeds"};
    for (const auto& [key, value] : json_.items()) {
      if (!known.contains(key)) fail("about, budget, methods, labels_per_class, seeds", key);
    }
  }

  Experiment read() const {
    Experiment experiment;
    experiment.name = path_.stem().string();
    experiment.about = json_.value("about", "");
    experiment.budget = object("budget");
    const json methods = object("methods");
    const auto labels = numbers("labels_per_class"), seeds = numbers("seeds");
    const auto shared = options_of("budget", experiment.budget);
    for (const std::uint64_t n : labels) {
      for (const auto& [method, own] : methods.items()) {
        if (method.find_first_not_of(kNameLetters) != std::string::npos) {
          fail("\"methods\" with names of letters, digits, dots, dashes and underscores", method);
        }
        for (const std::uint64_t seed : seeds) {
          ExperimentRun run;
          run.method = method;
          run.labels_per_class = static_cast<int>(n);
          run.seed = seed;
          run.name =
              method + "-" + (n == 0 ? "all" : std::to_string(n)) + "-seed" + std::to_string(seed);
          run.options = shared;
          const auto extra = options_of("methods", own);
          run.options.insert(run.options.end(), extra.begin(), extra.end());
          if (n > 0) {
            run.options.insert(run.options.end(), {"--labels-per-class", std::to_string(n)});
          }
          run.options.insert(run.options.end(), {"--seed", std::to_string(seed)});
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

  json object(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end() || !found->is_object() || found->empty()) {
      fail(std::string("\"") + key + "\" to be an object with members",
           found == json_.end() ? "none" : found->dump());
    }
    return *found;
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
      } else if (value.is_string() || value.is_number()) {
        options.push_back(option);
        options.push_back(value.is_string() ? value.get<std::string>() : value.dump());
      } else {
        fail(std::string("\"") + member + "\" to hold texts, numbers and switches",
             name + ": " + value.dump());
      }
    }
    return options;
  }

  const std::filesystem::path path_;
  json json_;
};

}  // namespace

Experiment read_experiment(const std::filesystem::path& path) {
  return Reader(path).read();
}

}  // namespace fer
