#include "learn/evaluation/metrics.h"

#include <cmath>
#include <cstdio>
#include <numeric>
#include <stdexcept>

namespace fer {

Confusion::Confusion(std::vector<std::string> labels)
    : labels_(std::move(labels)), counts_(labels_.size() * labels_.size()) {}

void Confusion::add(int label, int prediction, std::int64_t count) {
  const int n = static_cast<int>(labels_.size());
  if (label < 0 || label >= n || prediction < 0 || prediction >= n)
    throw std::out_of_range("Confusion::add: label or prediction out of range");
  counts_[label * n + prediction] += count;
}

std::int64_t Confusion::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

std::int64_t Confusion::count(int label, int prediction) const {
  return counts_.at(label * labels_.size() + prediction);
}

double Confusion::accuracy() const {
  const std::int64_t n = total();
  std::int64_t right = 0;
  for (std::size_t i = 0; i < labels_.size(); ++i) right += counts_[i * labels_.size() + i];
  return n ? static_cast<double>(right) / static_cast<double>(n) : 0;
}

double Confusion::recall(int label) const {
  std::int64_t n = 0;
  for (std::size_t j = 0; j < labels_.size(); ++j) n += count(label, static_cast<int>(j));
  return n ? static_cast<double>(count(label, label)) / static_cast<double>(n) : std::nan("");
}

double Confusion::macro_recall() const {
  double sum = 0;
  int classes = 0;
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    const double r = recall(static_cast<int>(i));
    if (std::isnan(r)) continue;
    sum += r;
    ++classes;
  }
  return classes ? sum / classes : 0;
}

nlohmann::json Confusion::to_json() const {
  nlohmann::json recalls, matrix = nlohmann::json::array();
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    const double r = recall(static_cast<int>(i));
    recalls[labels_[i]] = std::isnan(r) ? nlohmann::json() : nlohmann::json(r);
    nlohmann::json row = nlohmann::json::array();
    for (std::size_t j = 0; j < labels_.size(); ++j) row.push_back(counts_[i * labels_.size() + j]);
    matrix.push_back(row);
  }
  return {{"n", total()},      {"accuracy", accuracy()}, {"macro_recall", macro_recall()},
          {"recall", recalls}, {"confusion", matrix},    {"labels", labels_}};
}

std::string Confusion::to_text(const std::vector<std::string>& beside) const {
  char cell[64];
  std::string text = "label \\ predicted";
  for (const std::string& label : labels_) {
    std::snprintf(cell, sizeof cell, " %9.9s", label.c_str());
    text += cell;
  }
  text += "    recall\n";
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    std::snprintf(cell, sizeof cell, "%17.17s", labels_[i].c_str());
    text += cell;
    for (std::size_t j = 0; j < labels_.size(); ++j) {
      std::snprintf(cell, sizeof cell, " %9lld",
                    static_cast<long long>(counts_[i * labels_.size() + j]));
      text += cell;
    }
    const double r = recall(static_cast<int>(i));
    std::snprintf(cell, sizeof cell, std::isnan(r) ? "         -" : "  %7.1f %%", r * 100);
    text += cell;
    if (i < beside.size()) text += beside[i];
    text += "\n";
  }
  return text;
}

}  // namespace fer
