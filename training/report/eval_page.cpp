#include "report/eval_page.h"

#include <cmath>
#include <cstdio>

#include "evaluation/reliability.h"
#include "report/page/page.h"

namespace fer {
namespace {

/// "85.06 % (83.78 to 86.29)".
std::string share_text(const Measure& m) {
  if (std::isnan(m.value)) return "–";
  char text[80];
  if (m.interval.known()) {
    std::snprintf(text, sizeof text, "%.2f %% (%.2f to %.2f)", m.value * 100, m.interval.low * 100,
                  m.interval.high * 100);
  } else {
    std::snprintf(text, sizeof text, "%.2f %%", m.value * 100);
  }
  return text;
}

/// A difference in points of percent, with a sign.
std::string points_text(const Measure& m) {
  if (std::isnan(m.value)) return "–";
  char text[80];
  if (m.interval.known()) {
    std::snprintf(text, sizeof text, "%+.2f (%+.2f to %+.2f)", m.value * 100, m.interval.low * 100,
                  m.interval.high * 100);
  } else {
    std::snprintf(text, sizeof text, "%+.2f", m.value * 100);
  }
  return text;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

void add(Bars& bars, const Measure& m) {
  bars.values.push_back(m.value);
  bars.intervals.emplace_back(m.interval.known() ? m.interval.low : NAN,
                              m.interval.known() ? m.interval.high : NAN);
}

void add_figures(Page& page, const EvalReport& r) {
  const Measures& m = r.measures;
  page.block({{"type", "facts"},
              {"facts", nlohmann::json::array({{"accuracy", share_text(m.accuracy)},
                                               {"macro recall", share_text(m.macro_recall)},
                                               {"ECE", share_text(m.ece_equal_mass)},
                                               {"faces", std::to_string(m.faces)}})}});
  page.text("Model " + r.model + " (" + r.network + ", version " + r.version + ") on " + r.data +
            (r.split.empty() ? "" : ", split " + r.split) + ". In brackets: where " +
            std::to_string(std::lround(r.bootstrap.level * 100)) +
            " % of the resamples lie. Negative log likelihood " + number_text(m.nll.value) +
            ", Brier score " + number_text(m.brier.value) + ".");
}

void add_classes(Page& page, const EvalReport& r) {
  const auto& classes = r.evaluation.predictions.classes;
  Bars recall{"recall", {}};
  for (const Measure& one : r.measures.recall) add(recall, one);
  page.bars({"Recall of each class", classes, /*shares=*/true}, {recall});

  Series right{"right", {}, "#56b4e9"}, ideal{"as sure as right", {{0, 0}, {1, 1}}, "#9aa4ae"};
  for (const ReliabilityBin& bin : reliability(r.evaluation.predictions, Binning::kEqualMass))
    right.points.emplace_back(bin.confidence, bin.accuracy);
  ChartSpec spec{"Reliability: how often it is right, over its confidence", "confidence"};
  spec.shares = true;
  page.chart(spec, {right, ideal});

  const Confusion& confusion = r.evaluation.confusion;
  const int n = static_cast<int>(confusion.labels().size());
  std::vector<std::vector<double>> counts(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      counts[static_cast<std::size_t>(i)].push_back(static_cast<double>(confusion.count(i, j)));
  page.confusion("Confusion, percent of each row", confusion.labels(), counts);
}

void add_compared(Page& page, const EvalReport& r) {
  for (const ComparedModel& other : r.compared) {
    page.heading("Compared with " + other.name);
    std::vector<std::vector<TableCell>> rows{{{"accuracy"},
                                              {share_text(r.measures.accuracy)},
                                              {share_text(other.measures.accuracy)},
                                              {points_text(other.difference.accuracy)}},
                                             {{"macro recall"},
                                              {share_text(r.measures.macro_recall)},
                                              {share_text(other.measures.macro_recall)},
                                              {points_text(other.difference.macro_recall)}}};
    page.table({{"", true}, {"this"}, {"other"}, {"difference, points"}}, rows);
    Bars here{"this", {}}, there{"other", {}};
    for (const Measure& one : r.measures.recall) add(here, one);
    for (const Measure& one : other.measures.recall) add(there, one);
    page.bars({"Recall of each class", r.evaluation.predictions.classes, /*shares=*/true},
              {here, there});
  }
}

void add_corrections(Page& page, const EvalReport& r) {
  if (r.corrections.empty()) return;
  Series accuracy{"accuracy", {}}, recall{"macro recall", {}};
  for (const PriorCorrectionRow& row : r.corrections) {
    accuracy.points.emplace_back(row.correction, row.measures.accuracy.value);
    recall.points.emplace_back(row.correction, row.measures.macro_recall.value);
  }
  page.heading("Prior correction");
  ChartSpec spec{"Under another prior correction", "prior correction"};
  spec.shares = spec.fit = true;
  page.chart(spec, {accuracy, recall});
}

void add_groups(Page& page, const EvalReport& r) {
  if (r.groups.empty()) return;
  page.heading("By " + r.grouping);
  std::vector<std::string> names;
  Bars accuracy{"accuracy", {}}, recall{"macro recall", {}};
  std::vector<std::vector<TableCell>> rows;
  for (const GroupMeasures& g : r.groups) {
    names.push_back(g.group);
    add(accuracy, g.measures.accuracy);
    add(recall, g.measures.macro_recall);
    rows.push_back({{g.group},
                    {std::to_string(g.measures.faces)},
                    {share_text(g.measures.accuracy)},
                    {points_text(g.to_rest.accuracy)},
                    {share_text(g.measures.macro_recall)},
                    {points_text(g.to_rest.macro_recall)}});
  }
  page.bars({"Each group", names, /*shares=*/true}, {accuracy, recall});
  page.table({{r.grouping, true},
              {"faces"},
              {"accuracy"},
              {"to the rest, points"},
              {"macro recall"},
              {"to the rest, points"}},
             rows);
}

}  // namespace

std::string eval_page(const EvalReport& r) {
  Page page("Evaluation of " + r.model);
  page.heading("Evaluation", 1);
  add_figures(page, r);
  add_classes(page, r);
  add_compared(page, r);
  add_corrections(page, r);
  add_groups(page, r);
  return page.html();
}

}  // namespace fer
