#include "report/results_page.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "report/page/page.h"
#include "report/report_text.h"
#include "report/results_table.h"

namespace fer {
namespace {

using json = nlohmann::ordered_json;

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string group_of(const json& run, const ResultsView& view) {
  std::string group = text_of(run.value(view.group, json("")));
  if (const auto labels = run.find("labels_per_class"); labels != run.end()) {
    const bool all = labels->is_number() && labels->get<int>() == 0;
    group += all ? ", all labels" : ", " + text_of(*labels) + " labels";
  }
  return group;
}

double share_of(const json& run, const std::string& key) {
  const auto found = run.find(key);
  return found != run.end() && found->is_number() ? found->get<double>() : NAN;
}

void add_measure(Page& page, const std::vector<std::string>& groups,
                 const std::map<std::string, std::vector<const json*>>& runs,
                 const std::string& key, const std::string& name) {
  Bars bars{name, {}};
  for (const std::string& group : groups) {
    std::vector<double> values;
    for (const json* run : runs.at(group)) {
      const double value = share_of(*run, key);
      if (std::isfinite(value)) values.push_back(value);
    }
    const Spread spread = spread_of(values);
    bars.values.push_back(spread.n > 0 ? spread.mean : NAN);
    bars.intervals.emplace_back(spread.n > 1 ? spread.mean - spread.deviation : NAN,
                                spread.n > 1 ? spread.mean + spread.deviation : NAN);
  }
  if (std::any_of(bars.values.begin(), bars.values.end(),
                  [](double v) { return std::isfinite(v); }))
    page.bars({name + ", mean and standard deviation", groups, /*shares=*/true}, {bars});
}

}  // namespace

std::string results_page(const json& results, const ResultsView& view,
                         const std::optional<Chart>& chart) {
  const std::string name = results.value("experiment", "Experiment");
  Page page(name);
  page.heading(name, 1);
  page.text(results.value("about", ""));
  page.text("Each run with: " + budget_text(results) + ".");
  std::vector<std::string> groups;
  std::map<std::string, std::vector<const json*>> by_group;
  for (const json& run : results["runs"]) {
    const std::string group = group_of(run, view);
    if (by_group[group].empty()) groups.push_back(group);
    by_group[group].push_back(&run);
  }
  if (chart) page.chart(chart->spec, chart->series);
  for (const auto& [key, what] : view.measures) add_measure(page, groups, by_group, key, what);

  page.heading("Runs");
  std::vector<TableColumn> columns{{view.group, true}, {"seed"}};
  for (const auto& [key, what] : view.measures) columns.push_back({what});
  std::vector<std::vector<TableCell>> rows;
  for (const json& run : results["runs"]) {
    std::vector<TableCell>& row = rows.emplace_back();
    row = {{group_of(run, view)}, {text_of(run.value("seed", json("–")))}};
    for (const auto& [key, what] : view.measures) row.push_back({percent(share_of(run, key))});
  }
  page.table(columns, rows);
  return page.html();
}

}  // namespace fer
