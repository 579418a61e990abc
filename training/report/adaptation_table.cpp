#include "report/adaptation_table.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "report/results_table.h"

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
  return [=](const json& run) {
    // Results of version 0.1 may lack some.
    const json is = run.value(of, json()), was = run.value(from, json());
    return is.is_number() && was.is_number() ? json(is.get<double>() - was.get<double>()) : json();
  };
}

std::string cell(const std::vector<const json*>& runs, const Column& column, std::size_t usual) {
  std::vector<double> values;
  for (const json* run : runs) {
    const json value = column.value(*run);
    if (value.is_number()) values.push_back(value.get<double>() * column.scale);
  }
  return spread_text(spread_of(values), column.format, usual);
}

/// The head of a table and the line below it.
std::string head_of(const std::vector<std::string>& columns) {
  std::string head = "| variant |", rule = "|---|";
  for (const std::string& column : columns) {
    head += " " + column + " |";
    rule += "---|";
  }
  return head + "\n" + rule + "\n";
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
  constexpr const char *kPlain = "%.1f ± %.1f", *kSigned = "%+.1f ± %.1f";
  const Column gain{"gain", 100, kSigned, difference("target_after", "target_before")};
  const std::vector<Column> columns{
      {"macro recall after", 100, kPlain, field("target_after")},
      gain,
      {"accuracy after", 100, kPlain, field("target_accuracy_after")},
      {"change", 100, kSigned, difference("target_accuracy_after", "target_accuracy_before")},
      {"at worst", 100, kSigned, difference("target_worst", "target_before")},
      {"source accuracy after", 100, kPlain, field("source_after")},
      {"change", 100, kSigned, difference("source_after", "source_before")},
      {"promoted", 1, kPlain, field("promotions")},
      {"rolled back", 1, kPlain, field("rollbacks")}};
  const json& runs = results["runs"];
  const auto variants = each(runs, "variant"), orders = each(runs, "order");
  std::size_t usual = 0;
  for (const auto& variant : variants)
    usual = std::max(usual, runs_of(runs, {{"variant", variant}}).size());

  const json& first = runs.front();
  std::string accuracy_before;
  if (const json known = first.value("target_accuracy_before", json()); known.is_number()) {
    char text[40];
    std::snprintf(text, sizeof text, " (accuracy %.1f %%)", 100 * known.get<double>());
    accuracy_before = text;
  }
  char before[200];
  std::snprintf(before, sizeof before,
                "Before, the target's macro recall is %.1f %%%s and the source's accuracy %.1f %%.",
                100 * first["target_before"].get<double>(), accuracy_before.c_str(),
                100 * first["source_before"].get<double>());
  std::string text = results.value("about", "") + "\n\nEach run with: " + budget_text(results) +
                     ". " + std::to_string(runs.size()) + " runs, " + std::to_string(usual) +
                     " a row unless it says otherwise; percent, mean ± standard deviation over "
                     "orders and seeds. " +
                     before + "\n\n";
  std::vector<std::string> heads;
  for (const Column& column : columns) heads.push_back(column.head);
  text += head_of(heads);
  for (const std::string& variant : variants) {
    text += "| " + variant + " |";
    for (const Column& column : columns)
      text.append(" ").append(cell(runs_of(runs, {{"variant", variant}}), column, usual)) += " |";
    text += "\n";
  }

  if (orders.size() == 1) return text;
  text += "\nThe gain on the target by the order of the stream:\n\n" + head_of(orders);
  for (const std::string& variant : variants) {
    text += "| " + variant + " |";
    for (const std::string& order : orders) {
      const auto some = runs_of(runs, {{"variant", variant}, {"order", order}});
      text.append(" ").append(cell(some, gain, some.size())) += " |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace fer
