#include "report/training_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <stdexcept>

#include "report/line_chart.h"
#include "report/report_text.h"
#include "util/json_text.h"
#include "util/read_file.h"

namespace fer {
namespace {

using nlohmann::json;

/// What people call what the log keeps a class, and whether it is a share.
struct ClassChart {
  const char* title;
  bool share;
};
const std::map<std::string, ClassChart> kClassCharts = {
    {"recall", {"Recall on valid", true}},
    {"thresholds", {"Thresholds", true}},
    {"accept_rates", {"Accept rate, of rows with that pseudo-label", true}},
    {"purities", {"Purity of accepted pseudo-labels", true}},
    {"pseudo_labels", {"Share of each class among pseudo-labels", true}},
};

/// Counted from 1, as the terminal does; logs count from 0.
double epoch_of(const RunLog& run, std::size_t i) {
  const double epoch = number_of(run.epochs[i], "epoch");
  return 1 + (std::isfinite(epoch) ? epoch : static_cast<double>(i));
}

std::string epoch_text(const json& entry) {
  const json epoch = entry.value("epoch", json());
  return epoch.is_number_integer() ? std::to_string(epoch.get<std::int64_t>() + 1)
                                   : escaped(epoch.dump());
}

const json& best_epoch(const RunLog& run, const std::string& score) {
  return *std::max_element(run.epochs.begin(), run.epochs.end(), [&](const json& a, const json& b) {
    const double left = number_of(a, score), right = number_of(b, score);
    return !(left >= right) && std::isfinite(right);
  });
}

/// One of the log's numbers over the epochs.
Series series_of(const RunLog& run, const std::string& key, const std::string& name) {
  Series series{name, {}};
  for (std::size_t i = 0; i < run.epochs.size(); ++i) {
    series.points.emplace_back(epoch_of(run, i), number_of(run.epochs[i], key));
  }
  return series;
}

/// The keys of the log's objects from class to number, in the order of the last epoch.
std::vector<std::string> class_keys(const RunLog& run) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : run.epochs.back().items()) {
    const bool numbers = value.is_object() && !value.empty() &&
                         std::all_of(value.begin(), value.end(), [](const json& number) {
                           return number.is_number() || number.is_null();
                         });
    if (numbers) keys.push_back(key);
  }
  return keys;
}

std::string class_chart(const RunLog& run, const std::string& key) {
  std::vector<Series> series;
  for (const auto& [name, ignored] : run.epochs.back()[key].items()) {
    Series one{name, {}};
    for (std::size_t i = 0; i < run.epochs.size(); ++i) {
      const json& values = run.epochs[i].value(key, json::object());
      one.points.emplace_back(epoch_of(run, i), values.is_object() ? number_of(values, name) : NAN);
    }
    series.push_back(std::move(one));
  }
  const auto known = kClassCharts.find(key);
  return line_chart({known == kClassCharts.end() ? key : known->second.title, "epoch",
                     known != kClassCharts.end() && known->second.share},
                    series);
}

std::string confusion_table(const json& matrix, const json& labels) {
  std::string html = "<table class=\"confusion\"><tr><th>label \\ predicted</th>";
  for (const json& label : labels) html += "<th>" + escaped(label.get<std::string>()) + "</th>";
  html += "</tr>\n";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = matrix[i].get<std::vector<double>>();
    double total = 0;
    for (const double count : row) total += count;
    html += "<tr><th>" + escaped(labels[i].get<std::string>()) + "</th>";
    for (const double count : row) {
      const double share = total > 0 ? count / total : 0;
      char cell[160];
      std::snprintf(
          cell, sizeof cell,
          "<td style=\"background:rgba(8,81,156,%.3f)%s\" title=\"%.0f of %.0f\">%.1f</td>", share,
          share > 0.5 ? ";color:#fff" : "", count, total, 100 * share);
      html += cell;
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

std::string run_section(const RunLog& run, const std::string& score) {
  std::string html = "<h2>" + escaped(run.name) + "</h2>\n";
  if (run.settings.is_object()) {
    html += "<details><summary>Settings</summary><pre>" + escaped(json_text(run.settings, 2)) +
            "</pre></details>\n";
  }
  const json& last = run.epochs.back();
  if (const auto never = last.find("never_accepted");
      never != last.end() && never->is_array() && !never->empty()) {
    std::string names;
    for (const json& name : *never) {
      names +=
          (names.empty() ? "" : ", ") + (name.is_string() ? name.get<std::string>() : name.dump());
    }
    html +=
        "<p class=\"warning\">No pseudo-label of " + escaped(names) + " was ever accepted.</p>\n";
  }
  if (last.value("collapsed", false)) {
    html += "<p class=\"warning\">The embedding has collapsed: all faces look alike to it.</p>\n";
  }
  html += "<div class=\"charts\">\n";
  std::vector<Series> losses;
  for (const auto& [key, value] : last.items()) {
    if (value.is_number() && key.rfind("loss", 0) == 0) losses.push_back(series_of(run, key, key));
  }
  html += line_chart({"Training loss", "epoch", false}, losses);
  if (last.contains("accuracy") || last.contains("macro_recall")) {
    html += line_chart(
        {"On valid", "epoch", true},
        {series_of(run, "accuracy", "accuracy"), series_of(run, "macro_recall", "macro recall")});
  }
  if (last.contains("knn_accuracy")) {
    html += line_chart({"Nearest neighbours on valid", "epoch", true},
                       {series_of(run, "knn_accuracy", "accuracy"),
                        series_of(run, "knn_macro_recall", "macro recall")});
  }
  if (last.contains("spread")) {
    html += line_chart({"Spread of the embedding (0: collapsed, 1: even)", "epoch", false},
                       {series_of(run, "spread", "spread")});
    html += line_chart({"Dimensions that the embedding fills", "epoch", false},
                       {series_of(run, "dimensions", "dimensions")});
  }
  for (const std::string& key : class_keys(run)) html += class_chart(run, key);
  std::vector<Series> rates;
  for (const char* key : {"accept_rate", "purity", "negative_errors"}) {
    if (last.contains(key)) rates.push_back(series_of(run, key, key));
  }
  if (!rates.empty()) html += line_chart({"Pseudo-labels, all classes", "epoch", true}, rates);
  html += "</div>\n";
  const json& best = best_epoch(run, score);
  if (best.contains("confusion") && best.contains("labels")) {
    html += "<h3>Confusion on valid, epoch " + epoch_text(best) + ", percent of each row</h3>\n" +
            confusion_table(best["confusion"], best["labels"]);
  }
  return html;
}

bool are_texts(const json& values) {
  return values.is_array() && std::all_of(values.begin(), values.end(),
                                          [](const json& value) { return value.is_string(); });
}

/// True for as many rows as there are labels, of so many numbers each.
bool is_confusion(const json& matrix, std::size_t labels) {
  return matrix.is_array() && matrix.size() == labels &&
         std::all_of(matrix.begin(), matrix.end(), [&](const json& row) {
           return row.is_array() && row.size() == labels &&
                  std::all_of(row.begin(), row.end(),
                              [](const json& count) { return count.is_number(); });
         });
}

/// What a line should hold and does not, for people; empty where it is as a training writes it.
std::string fault_of(const json& entry) {
  if (entry.contains("collapsed") && !entry["collapsed"].is_boolean())
    return "\"collapsed\" to be true or false";
  if (!entry.contains("confusion") || !entry.contains("labels")) return "";
  if (!are_texts(entry["labels"])) return "\"labels\" to be a list of names beside \"confusion\"";
  return is_confusion(entry["confusion"], entry["labels"].size())
             ? ""
             : "\"confusion\" to be a row of counts for each of \"labels\"";
}

}  // namespace

RunLog read_run(const std::filesystem::path& folder) {
  RunLog run;
  run.name = std::filesystem::weakly_canonical(folder).filename().string();
  const std::filesystem::path path = folder / "log.jsonl";
  if (!std::filesystem::exists(path)) {
    throw std::runtime_error(
        path.string() + ": expected the log of a training run or a learner, found no such file");
  }
  require_regular_file(path);
  std::ifstream file(path);
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const bool cut_short = file.eof();
    json entry = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (entry.is_object()) {
      if (const std::string expected = fault_of(entry); !expected.empty()) {
        throw std::runtime_error(path.string() + ":" + std::to_string(number) + ": expected " +
                                 expected);
      }
      run.epochs.push_back(std::move(entry));
    } else if (!cut_short) {
      throw std::runtime_error(path.string() + ":" + std::to_string(number) +
                               ": expected a JSON object, found \"" + line.substr(0, 40) + "\"");
    }
  }
  if (run.epochs.empty()) {
    throw std::runtime_error(path.string() +
                             ": expected a line an epoch, found none that is whole");
  }
  if (std::ifstream settings(folder / "run.json"); settings) {
    run.settings = json::parse(settings, nullptr, /*allow_exceptions=*/false);
    if (run.settings.is_discarded()) {
      throw std::runtime_error((folder / "run.json").string() + ": expected JSON");
    }
  }
  return run;
}

std::string training_section(const std::vector<RunLog>& runs, const std::string& score) {
  std::string html =
      "<h1>Training runs</h1>\n"
      "<table><tr><th>run</th><th>epochs</th><th>best epoch</th><th>accuracy</th>"
      "<th>macro recall</th><th>last: accuracy</th><th>macro recall</th><th>minutes</th></tr>\n";
  for (const RunLog& run : runs) {
    const json& best = best_epoch(run, score);
    const json& last = run.epochs.back();
    const double seconds = number_of(last, "seconds");
    char minutes[32] = "–";
    if (std::isfinite(seconds)) std::snprintf(minutes, sizeof minutes, "%.1f", seconds / 60);
    html += "<tr><td>" + escaped(run.name) + "</td><td>" + std::to_string(run.epochs.size()) +
            "</td><td>" + (best.contains(score) ? epoch_text(best) : "–") + "</td>";
    for (const auto& [entry, key] : {std::pair{&best, "accuracy"},
                                     {&best, "macro_recall"},
                                     {&last, "accuracy"},
                                     {&last, "macro_recall"}}) {
      html += std::string("<td") + (entry == &best && key == score ? " class=\"best\">" : ">") +
              percent(number_of(*entry, key)) + "</td>";
    }
    html += std::string("<td>") + minutes + "</td></tr>\n";
  }
  html += "</table>\n<p>On the validation split. Best is the epoch with the highest " +
          escaped(score) + ", which best.fer holds.</p>\n";
  if (runs.size() > 1) {
    html += "<div class=\"charts\">\n";
    for (const auto& [key, title] :
         {std::pair{"accuracy", "Accuracy on valid"}, {"macro_recall", "Macro recall on valid"}}) {
      std::vector<Series> series;
      for (const RunLog& run : runs) series.push_back(series_of(run, key, run.name));
      html += line_chart({title, "epoch", true}, series);
    }
    html += "</div>\n";
  }
  for (const RunLog& run : runs) html += run_section(run, score);
  return html;
}

}  // namespace fer
