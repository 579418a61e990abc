#include "report/results_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "report/matched_score.h"

namespace fer {
namespace {

using json = nlohmann::ordered_json;

template <typename T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

/// In percent.
std::vector<double> values_of(const json& runs, const std::string& method, int labels,
                              const std::string& key) {
  std::vector<double> values;
  for (const json& run : runs) {
    if (run["method"].get<std::string>() == method &&
        run["labels_per_class"].get<int>() == labels && run.contains(key) && run[key].is_number()) {
      values.push_back(100 * run[key].get<double>());
    }
  }
  return values;
}

std::string table(const json& runs, const std::vector<std::string>& methods,
                  const std::vector<int>& labels, const std::string& prefix,
                  const std::string& suffix, std::size_t seeds) {
  std::string head = "| method |", rule = "|---|";
  for (const int n : labels) {
    const std::string count = n == 0 ? "all labels" : std::to_string(n) + " a class";
    head += " " + count + ": accuracy | macro recall |";
    rule += "---|---|";
  }
  std::string text = head + "\n" + rule + "\n";
  for (const std::string& method : methods) {
    text += "| " + method + " |";
    for (const int n : labels) {
      for (const char* key : {"accuracy", "macro_recall"}) {
        const Spread spread = spread_of(values_of(runs, method, n, prefix + key + suffix));
        text.append(" ").append(spread_text(spread, "%.1f ± %.1f", seeds)).append(" |");
      }
    }
    text += "\n";
  }
  return text;
}

std::string pool_of(const json& run) {
  return run.value("pool", "");
}

/// What the runs say of their pseudo-labels, in percent: empty where they say nothing of the key.
std::string pseudo_label_table(const json& runs, const std::vector<std::string>& methods,
                               const std::vector<int>& labels, const char* key, const char* title,
                               std::size_t seeds) {
  const bool any = std::any_of(runs.begin(), runs.end(), [&](const json& run) {
    return run.contains(key) && run[key].is_number();
  });
  if (!any) return {};
  std::string text = std::string("\n") + title + ":\n\n| method |", rule = "|---|";
  for (const int n : labels) {
    text += n == 0 ? " all labels |" : " " + std::to_string(n) + " a class |";
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const std::string& method : methods) {
    text += "| " + method + " |";
    for (const int n : labels) {
      const Spread spread = spread_of(values_of(runs, method, n, key));
      text.append(" ").append(spread_text(spread, "%.1f ± %.1f", seeds)).append(" |");
    }
    text += "\n";
  }
  return text;
}

/// Macro recall where all runs with as many labels are equally accurate on valid: empty where no
/// run has a curve of prior corrections.
std::string matched_table(const json& runs, const std::vector<std::string>& methods,
                          const std::vector<int>& labels, std::size_t seeds) {
  json matched = json::array();
  for (const int n : labels) {
    json of_row = json::array();
    for (const json& run : runs)
      if (run["labels_per_class"].get<int>() == n) of_row.push_back(run);
    const std::optional<double> accuracy = common_valid_accuracy(of_row);
    if (!accuracy) continue;
    for (const json& run : of_row) {
      const std::optional<MatchedScore> score = score_at(run, *accuracy);
      if (!score) continue;
      matched.push_back({{"method", run["method"]},
                         {"labels_per_class", n},
                         {"accuracy", score->accuracy},
                         {"macro_recall", score->macro_recall}});
    }
  }
  if (matched.empty()) return {};
  return "\nThe last model, at the prior correction that makes all runs of a column equally "
         "accurate "
         "on valid:\n\n" +
         table(matched, methods, labels, "", "", seeds);
}

/// The tables of a pool of unlabelled faces.
std::string pool_tables(const json& all, const std::string& pool,
                        const std::vector<std::string>& methods, const std::vector<int>& labels,
                        std::size_t seeds) {
  json runs = json::array();
  for (const json& run : all)
    if (pool_of(run) == pool) runs.push_back(run);
  std::string text = pool.empty() ? "" : "\n## " + pool + "\n";
  text += "\nThe last model:\n\n" + table(runs, methods, labels, "", "", seeds) +
          "\nThe model that was best on validation:\n\n" +
          table(runs, methods, labels, "", "_best", seeds);
  const auto has = [&](const char* key) {
    return std::any_of(runs.begin(), runs.end(),
                       [&](const json& run) { return run.contains(key); });
  };
  if (has("also_accuracy")) {
    text += "\nThe other domain, the last model:\n\n" +
            table(runs, methods, labels, "also_", "", seeds) +
            "\nThe model that was best on validation:\n\n" +
            table(runs, methods, labels, "also_", "_best", seeds);
  }
  if (has("correction")) {
    text += "\nThe last model, without a prior correction:\n\n" +
            table(runs, methods, labels, "", "_plain", seeds) +
            matched_table(runs, methods, labels, seeds);
  }
  text += pseudo_label_table(runs, methods, labels, "precision_times_coverage",
                             "Pseudo-labels, precision times coverage, mean over classes", seeds);
  text += pseudo_label_table(runs, methods, labels, "distractors_accepted",
                             "Distractors that were accepted", seeds);
  return text;
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  spread.n = values.size();
  if (values.empty()) return spread;
  const auto n = static_cast<double>(values.size());
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return spread;
  double sum = 0;
  for (const double value : values) sum += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(sum / (n - 1));
  return spread;
}

std::string spread_text(const Spread& spread, const char* format, std::size_t usual) {
  if (spread.n == 0) return "–";
  char text[64];
  std::snprintf(text, sizeof text, format, spread.mean, spread.deviation);
  return text + (spread.n == usual ? "" : " (n = " + std::to_string(spread.n) + ")");
}

std::string budget_text(const nlohmann::ordered_json& results) {
  std::string text;
  for (const auto& [name, value] : results["budget"].items()) {
    text += (text.empty() ? "" : ", ") + name + " " +
            (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

std::string results_markdown(const nlohmann::ordered_json& results) {
  const json& runs = results["runs"];
  std::vector<std::string> methods, pools;
  std::vector<int> labels;
  std::map<std::tuple<std::string, std::string, int>, std::size_t> counts;
  for (const json& run : runs) {
    add_once(methods, run["method"].get<std::string>());
    add_once(labels, run["labels_per_class"].get<int>());
    add_once(pools, pool_of(run));
    ++counts[{pool_of(run), run["method"], run["labels_per_class"]}];
  }
  if (pools.empty()) pools.emplace_back();
  std::size_t seeds = 0;
  for (const auto& [of, count] : counts) seeds = std::max(seeds, count);
  std::string text = results.value("about", "");
  text += "\n\nBudget: " + budget_text(results) + ". " + std::to_string(runs.size()) + " runs, " +
          std::to_string(seeds) +
          " seeds a cell unless it says otherwise; percent on the test split, mean ± standard "
          "deviation over seeds.\n";
  for (const std::string& pool : pools) text += pool_tables(runs, pool, methods, labels, seeds);
  return text;
}

std::optional<Chart> results_chart(const nlohmann::ordered_json& results) {
  const json& runs = results["runs"];
  std::vector<std::string> methods;
  std::set<int> labels;
  for (const json& run : runs) {
    add_once(methods, run["method"].get<std::string>());
    if (run["labels_per_class"].get<int>() > 0) labels.insert(run["labels_per_class"].get<int>());
  }
  if (labels.size() < 2) return {};
  std::vector<Series> lines;
  for (const std::string& method : methods) {
    Series& line = lines.emplace_back();
    line.name = method;
    for (const int n : labels) {
      const Spread spread = spread_of(values_of(runs, method, n, "macro_recall"));
      if (spread.n > 0) line.points.emplace_back(n, spread.mean / 100);
    }
  }
  ChartSpec spec;
  spec.title = "Macro recall on test, mean over seeds";
  spec.x_axis = "labels a class";
  spec.shares = spec.fit = spec.log_x = true;
  return Chart{std::move(spec), std::move(lines)};
}

}  // namespace fer
