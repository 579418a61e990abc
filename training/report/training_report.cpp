#include "report/training_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <stdexcept>

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

/// Likewise of losses.
const std::map<std::string, const char*> kLossNames = {{"loss", "all"},
                                                       {"loss_x", "labelled"},
                                                       {"loss_u", "pseudo-labels"},
                                                       {"loss_n", "negatives"},
                                                       {"loss_c", "contrastive"}};

/// Counted from 1, as the terminal does; logs count from 0.
double epoch_of(const RunLog& run, std::size_t i) {
  const double epoch = number_of(run.epochs[i], "epoch");
  return 1 + (std::isfinite(epoch) ? epoch : static_cast<double>(i));
}

std::string epoch_text(const json& entry) {
  const json epoch = entry.value("epoch", json());
  return epoch.is_number_integer() ? std::to_string(epoch.get<std::int64_t>() + 1) : epoch.dump();
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

void add_class_chart(Page& page, const RunLog& run, const std::string& key) {
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
  page.chart({known == kClassCharts.end() ? key : known->second.title, "epoch",
              known != kClassCharts.end() && known->second.share},
             series);
}

void add_losses(Page& page, const RunLog& run) {
  std::vector<Series> losses;
  for (const auto& [key, value] : run.epochs.back().items()) {
    if (!value.is_number() || key.rfind("loss", 0) != 0) continue;
    const auto known = kLossNames.find(key);
    losses.push_back(series_of(run, key, known == kLossNames.end() ? key : known->second));
  }
  page.chart({"Training loss", "epoch", false}, losses);
}

void add_warnings(Page& page, const json& last) {
  if (const auto never = last.find("never_accepted");
      never != last.end() && never->is_array() && !never->empty()) {
    std::string names;
    for (const json& name : *never) {
      names +=
          (names.empty() ? "" : ", ") + (name.is_string() ? name.get<std::string>() : name.dump());
    }
    page.warning("No pseudo-label of " + names + " was ever accepted.");
  }
  if (last.value("collapsed", false))
    page.warning("The embedding has collapsed: all faces look alike to it.");
}

void add_run(Page& page, const RunLog& run, const std::string& score) {
  page.heading(run.name);
  if (run.settings.is_object()) page.details("Settings", json_text(run.settings, 2));
  const json& last = run.epochs.back();
  add_warnings(page, last);
  add_losses(page, run);
  if (last.contains("accuracy") || last.contains("macro_recall")) {
    page.chart({"On valid", "epoch", true}, {series_of(run, "accuracy", "accuracy"),
                                             series_of(run, "macro_recall", "macro recall")});
  }
  if (last.contains("knn_accuracy")) {
    page.chart({"Nearest neighbours on valid", "epoch", true},
               {series_of(run, "knn_accuracy", "accuracy"),
                series_of(run, "knn_macro_recall", "macro recall")});
  }
  if (last.contains("spread")) {
    page.chart({"Spread of the embedding (0: collapsed, 1: even)", "epoch", false},
               {series_of(run, "spread", "spread")});
    page.chart({"Dimensions that the embedding fills", "epoch", false},
               {series_of(run, "dimensions", "dimensions")});
  }
  for (const std::string& key : class_keys(run)) add_class_chart(page, run, key);
  std::vector<Series> rates;
  for (const auto& [key, name] : {std::pair{"accept_rate", "accept rate"},
                                  {"purity", "purity"},
                                  {"negative_errors", "negatives that are wrong"}}) {
    if (last.contains(key)) rates.push_back(series_of(run, key, name));
  }
  page.chart({"Pseudo-labels, all classes", "epoch", true}, rates);
  const json& best = best_epoch(run, score);
  if (best.contains("confusion") && best.contains("labels")) {
    page.confusion("Confusion on valid, epoch " + epoch_text(best) + ", percent of each row",
                   best["labels"].get<std::vector<std::string>>(),
                   best["confusion"].get<std::vector<std::vector<double>>>());
  }
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

void add_training_runs(Page& page, const std::vector<RunLog>& runs, const std::string& score) {
  page.heading("Training runs", 1);
  std::vector<std::vector<TableCell>> rows;
  for (const RunLog& run : runs) {
    const json& best = best_epoch(run, score);
    const json& last = run.epochs.back();
    const double seconds = number_of(last, "seconds");
    char minutes[32] = "–";
    if (std::isfinite(seconds)) std::snprintf(minutes, sizeof minutes, "%.1f", seconds / 60);
    std::vector<TableCell>& row = rows.emplace_back();
    row = {{run.name},
           {std::to_string(run.epochs.size())},
           {best.contains(score) ? epoch_text(best) : "–"}};
    for (const auto& [entry, key] : {std::pair{&best, "accuracy"},
                                     {&best, "macro_recall"},
                                     {&last, "accuracy"},
                                     {&last, "macro_recall"}})
      row.push_back({percent(number_of(*entry, key)), entry == &best && key == score});
    row.push_back({minutes});
  }
  page.table({{"run", true},
              {"epochs"},
              {"best epoch"},
              {"best: accuracy"},
              {"best: macro recall"},
              {"last: accuracy"},
              {"last: macro recall"},
              {"minutes"}},
             rows);
  page.text("On the validation split. Best is the epoch with the highest " +
            std::string(score == "macro_recall" ? "macro recall" : score) +
            ", which best.fer holds.");
  if (runs.size() > 1) {
    for (const auto& [key, title] :
         {std::pair{"accuracy", "Accuracy on valid"}, {"macro_recall", "Macro recall on valid"}}) {
      std::vector<Series> series;
      for (const RunLog& run : runs) series.push_back(series_of(run, key, run.name));
      page.chart({title, "epoch", true}, series);
    }
  }
  for (const RunLog& run : runs) add_run(page, run, score);
}

}  // namespace fer
