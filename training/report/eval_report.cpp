#include "report/eval_report.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "util/join.h"

namespace fer {
namespace {

using nlohmann::json;

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

std::string line(const char* name, const std::string& value) {
  return text("%-13s ", name) + value + "\n";
}

/// "85.06 (83.78 to 86.29)": percent; "-" where there is none.
std::string percent(const Measure& m) {
  if (std::isnan(m.value)) return "-";
  if (!m.interval.known()) return text("%.2f", m.value * 100);
  return text("%.2f (%.2f to %.2f)", m.value * 100, m.interval.low * 100, m.interval.high * 100);
}

/// The same for a difference: points of percent, with a sign.
std::string points(const Measure& m) {
  if (std::isnan(m.value)) return "-";
  if (!m.interval.known()) return text("%+.2f", m.value * 100);
  return text("%+.2f (%+.2f to %+.2f)", m.value * 100, m.interval.low * 100, m.interval.high * 100);
}

std::string number(const Measure& m) {
  if (!m.interval.known()) return text("%.4f", m.value);
  return text("%.4f (%.4f to %.4f)", m.value, m.interval.low, m.interval.high);
}

/// An empty line and a table, with columns as wide as their widest cell: the first to the left, all
/// others to the right.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string all = "\n";
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      all += i == 0 ? row[i] + space : "  " + space + row[i];
    }
    all += "\n";
  }
  return all;
}

std::string left_out_text(const EvalReport& r) {
  const Evaluation& e = r.evaluation;
  std::vector<std::string> parts;
  if (e.unlabelled) parts.push_back(text("%zu without one majority label", e.unlabelled));
  if (e.duplicates) {
    parts.push_back(text("%zu marked as duplicates (--keep-duplicates counts them)", e.duplicates));
  }
  if (e.other_classes) parts.push_back(text("%zu of other classes", e.other_classes));
  if (r.unreadable) parts.push_back(text("%zu unreadable", r.unreadable));
  return join(parts);
}

std::string comparison_text(const EvalReport& r) {
  std::string all;
  for (const ComparedModel& other : r.compared) {
    const auto& classes = r.evaluation.predictions.classes;
    const Differences& d = other.difference;
    std::vector<std::vector<std::string>> rows{
        {"compared with " + other.name, "this", "other", "difference"},
        {"accuracy", percent(r.measures.accuracy), percent(other.measures.accuracy),
         points(d.accuracy)},
        {"macro recall", percent(r.measures.macro_recall), percent(other.measures.macro_recall),
         points(d.macro_recall)}};
    for (std::size_t k = 0; k < classes.size(); ++k) {
      rows.push_back({"recall of " + classes[k], percent(r.measures.recall[k]),
                      percent(other.measures.recall[k]), points(d.recall[k])});
    }
    all += table(rows);
  }
  return all;
}

std::string corrections_text(const EvalReport& r) {
  if (r.corrections.empty()) return "";
  std::vector<std::vector<std::string>> rows{
      {"prior correction", "accuracy", "difference", "macro recall", "difference"}};
  for (const PriorCorrectionRow& row : r.corrections) {
    rows.push_back({text("%g", row.correction), percent(row.measures.accuracy),
                    points(row.to_given.accuracy), percent(row.measures.macro_recall),
                    points(row.to_given.macro_recall)});
  }
  return table(rows) + text("Differences are to a prior correction of %g.\n", r.prior_correction);
}

std::string groups_text(const EvalReport& r) {
  if (r.groups.empty()) return "";
  std::vector<std::vector<std::string>> rows{
      {r.grouping, "faces", "accuracy", "to the rest", "macro recall", "to the rest"}};
  for (const GroupMeasures& g : r.groups) {
    rows.push_back({g.group, std::to_string(g.measures.faces), percent(g.measures.accuracy),
                    points(g.to_rest.accuracy), percent(g.measures.macro_recall),
                    points(g.to_rest.macro_recall)});
  }
  return table(rows) +
         "To the rest: this group minus all others, macro recall over the classes that both "
         "have.\n";
}

json interval_json(const Interval& interval) {
  return interval.known() ? json{interval.low, interval.high} : json();
}

/// NaN is null.
json value_json(double value) {
  return std::isnan(value) ? json() : json(value);
}

/// {"value": …, "interval": [low, high]}.
json measure_json(const Measure& m) {
  return {{"value", value_json(m.value)}, {"interval", interval_json(m.interval)}};
}

json recalls_json(const std::vector<Measure>& recall, const std::vector<std::string>& classes) {
  json recalls = json::object();
  for (std::size_t k = 0; k < classes.size(); ++k) recalls[classes[k]] = measure_json(recall[k]);
  return recalls;
}

json measures_json(const Measures& m, const std::vector<std::string>& classes) {
  return {{"n", m.faces},
          {"accuracy", measure_json(m.accuracy)},
          {"macro_recall", measure_json(m.macro_recall)},
          {"recall", recalls_json(m.recall, classes)},
          {"nll", measure_json(m.nll)},
          {"brier", measure_json(m.brier)},
          {"ece_equal_mass", measure_json(m.ece_equal_mass)},
          {"ece_equal_width", measure_json(m.ece_equal_width)}};
}

json differences_json(const Differences& d, const std::vector<std::string>& classes) {
  return {{"accuracy", measure_json(d.accuracy)},
          {"macro_recall", measure_json(d.macro_recall)},
          {"recall", recalls_json(d.recall, classes)}};
}

/// The interval of each figure that stands in the report by its bare value.
json intervals_json(const Measures& m, const std::vector<std::string>& classes) {
  json recalls = json::object();
  for (std::size_t k = 0; k < classes.size(); ++k)
    recalls[classes[k]] = interval_json(m.recall[k].interval);
  return {{"accuracy", interval_json(m.accuracy.interval)},
          {"macro_recall", interval_json(m.macro_recall.interval)},
          {"recall", recalls},
          {"nll", interval_json(m.nll.interval)},
          {"brier", interval_json(m.brier.interval)},
          {"ece_equal_mass", interval_json(m.ece_equal_mass.interval)},
          {"ece_equal_width", interval_json(m.ece_equal_width.interval)}};
}

}  // namespace

std::string eval_text(const EvalReport& r) {
  const Evaluation& e = r.evaluation;
  const Measures& m = r.measures;
  std::string out = line("model", r.model + " (" + r.network + ", version " + r.version + ")");
  out += line("data", r.data + (r.split.empty() ? "" : ", split " + r.split) +
                          text(": %lld faces, %zu of them aligned",
                               static_cast<long long>(e.confusion.total()), e.aligned));
  if (const std::string left_out = left_out_text(r); !left_out.empty())
    out += line("left out", left_out);
  if (e.restricted) {
    out += line("classes", "predictions are taken among " +
                               std::to_string(e.confusion.labels().size()) + " of the model's " +
                               std::to_string(r.model_classes) +
                               " classes: " + join(e.confusion.labels()));
  }
  if (r.prior_correction != 0)
    out += line("prior", text("divided out to the power of %g", r.prior_correction));
  if (m.accuracy.interval.known()) {
    out += line("intervals",
                text("%g %%, by the bootstrap over %zu %s, %d resamples, seed %llu",
                     r.bootstrap.level * 100, r.clusters, r.resampled.c_str(),
                     r.bootstrap.resamples, static_cast<unsigned long long>(r.bootstrap.seed)));
  }
  out += line("accuracy", percent(m.accuracy) + " %");
  out += line("macro recall", percent(m.macro_recall) + " %");
  out += line("NLL", number(m.nll));
  out += line("Brier score", number(m.brier));
  out += line("ECE", number(m.ece_equal_mass) + " in 15 bins of equal mass");
  out += line("", number(m.ece_equal_width) + " in 15 bins of equal width");
  if (e.ms_per_face > 0) {
    out += line("time", text("%.2f ms a face, %.2f ms of CPU (medians; one face at a time on one "
                             "thread, as in a stream; %s)",
                             e.ms_per_face, e.cpu_ms_per_face, r.precision.c_str()));
  }
  std::vector<std::string> beside;
  for (const Measure& recall : m.recall) {
    beside.push_back(recall.interval.known() ? text("  (%.1f to %.1f)", recall.interval.low * 100,
                                                    recall.interval.high * 100)
                                             : "");
  }
  return out + "\n" + e.confusion.to_text(beside) + comparison_text(r) + corrections_text(r) +
         groups_text(r);
}

json eval_json(const EvalReport& r) {
  const Evaluation& e = r.evaluation;
  const auto& classes = e.predictions.classes;
  json all = e.confusion.to_json();
  all["ms_per_face"] = e.ms_per_face;
  all["cpu_ms_per_face"] = e.cpu_ms_per_face;
  all["model"] = r.model;
  all["model_version"] = r.version;
  all["data"] = r.data;
  all["split"] = r.split;
  all["align"] = r.align;
  all["aligned"] = e.aligned;
  all["restricted"] = e.restricted;
  all["prior_correction"] = r.prior_correction;
  all["precision"] = r.precision;
  all["left_out"] = {{"duplicates", e.duplicates},
                     {"unlabelled", e.unlabelled},
                     {"other_classes", e.other_classes},
                     {"unreadable", r.unreadable}};
  all["nll"] = r.measures.nll.value;
  all["brier"] = r.measures.brier.value;
  all["ece_equal_mass"] = r.measures.ece_equal_mass.value;
  all["ece_equal_width"] = r.measures.ece_equal_width.value;
  all["intervals"] = intervals_json(r.measures, classes);
  all["bootstrap"] = {{"resampled", r.resampled},
                      {"clusters", r.clusters},
                      {"resamples", r.bootstrap.resamples},
                      {"seed", r.bootstrap.seed},
                      {"level", r.bootstrap.level}};
  for (const ComparedModel& other : r.compared) {
    all["compared"].push_back({{"with", other.name},
                               {"other", measures_json(other.measures, classes)},
                               {"difference", differences_json(other.difference, classes)}});
  }
  for (const PriorCorrectionRow& row : r.corrections) {
    all["prior_corrections"].push_back({{"prior_correction", row.correction},
                                        {"measures", measures_json(row.measures, classes)},
                                        {"difference", differences_json(row.to_given, classes)}});
  }
  if (!r.groups.empty()) {
    all["grouped_by"] = r.grouping;
    for (const GroupMeasures& g : r.groups) {
      all["groups"].push_back({{"group", g.group},
                               {"measures", measures_json(g.measures, classes)},
                               {"to_rest", differences_json(g.to_rest, classes)}});
    }
  }
  return all;
}

}  // namespace fer
