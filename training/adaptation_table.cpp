#include "adaptation_table.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include "results_table.h"

namespace fer {
namespace {

using json = nlohmann::ordered_json;
using Value = std::function<json(const json& run)>;

/// What a column tells of a run; null where it has nothing to tell.
struct Column {
  const char* head;
  double scale;
  const char* format;
  Value value;
};

Value field(const char* key) {
  return [key](const json& run) { return run.value(key, json()); };
}
Value difference(const char* of, const char* from) {
  return [=](const json& run) { return json(run[of].get<double>() - run[from].get<double>()); };
}

std::string cell(const std::vector<const json*>& runs, const Column& column, std::size_t usual) {
  std::vector<double> values;
  for (const json* run : runs) {
    const json value = column.value(*run);
    if (value.is_number()) values.push_back(value.get<double>() * column.scale);
  }
  if (values.empty()) return "–";
  const Spread spread = spread_of(values);
  char text[96];
  std::snprintf(text, sizeof text, column.format, spread.mean, spread.deviation);
  return text + (spread.n == usual ? "" : " (n = " + std::to_string(spread.n) + ")");
}

std::vector<std::string> each(const json& runs, const char* key) {
  std::vector<std::string> found;
  for (const json& run : runs) {
    const auto value = run[key].get<std::string>();
    if (std::find(found.begin(), found.end(), value) == found.end()) found.push_back(value);
  }
  return found;
}

/// Runs whose keys have these values.
std::vector<const json*> runs_of(const json& runs,
                                 const std::vector<std::pair<const char*, std::string>>& wanted) {
  std::vector<const json*> found;
  for (const json& run : runs) {
    if (std::all_of(wanted.begin(), wanted.end(),
                    [&](const auto& want) { return run[want.first] == want.second; }))
      found.push_back(&run);
  }
  return found;
}

}  // namespace

std::string adaptation_markdown(const nlohmann::ordered_json& results) {
  constexpr const char *kShare = "%.1f ± %.1f", *kGain = "%+.1f ± %.1f", *kCount = "%.1f ± %.1f";
  const std::vector<Column> columns{
      {"target after", 100, kShare, field("target_after")},
      {"gain", 100, kGain, difference("target_after", "target_before")},
      {"at worst", 100, kGain, difference("target_worst", "target_before")},
      {"source after", 100, kShare, field("source_after")},
      {"change", 100, kGain, difference("source_after", "source_before")},
      {"promoted", 1, kCount, field("promotions")},
      {"rolled back", 1, kCount, field("rollbacks")}};
  const json& runs = results["runs"];
  const auto variants = each(runs, "variant"), orders = each(runs, "order");
  std::size_t usual = 0;
  for (const auto& variant : variants)
    usual = std::max(usual, runs_of(runs, {{"variant", variant}}).size());

  std::string text = results.value("about", "") + "\n\nEach run with: ";
  std::string budget;
  for (const auto& [name, value] : results["budget"].items()) {
    budget += (budget.empty() ? "" : ", ") + name + " " +
              (value.is_string() ? value.get<std::string>() : value.dump());
  }
  const json& first = runs.front();
  char before[160];
  std::snprintf(before, sizeof before,
                "Before, the target's macro recall is %.1f %% and the source's accuracy %.1f %%.",
                100 * first["target_before"].get<double>(),
                100 * first["source_before"].get<double>());
  text += budget + ". " + std::to_string(runs.size()) + " runs, " + std::to_string(usual) +
          " a row unless it says otherwise; percent, mean ± standard deviation over orders and "
          "seeds. " +
          before + "\n\n";
  std::string rule = "|---|";
  text += "| variant |";
  for (const Column& column : columns) {
    text += " " + std::string(column.head) + " |";
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const std::string& variant : variants) {
    text += "| " + variant + " |";
    for (const Column& column : columns)
      text += " " + cell(runs_of(runs, {{"variant", variant}}), column, usual) + " |";
    text += "\n";
  }

  if (orders.size() == 1) return text;
  text += "\nThe gain on the target by the order of the stream:\n\n| variant |";
  rule = "|---|";
  for (const std::string& order : orders) {
    text += " " + order + " |";
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  const Column gain{"gain", 100, kGain, difference("target_after", "target_before")};
  for (const std::string& variant : variants) {
    text += "| " + variant + " |";
    for (const std::string& order : orders) {
      const auto some = runs_of(runs, {{"variant", variant}, {"order", order}});
      text += " " + cell(some, gain, some.size()) + " |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace fer
