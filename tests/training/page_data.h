// What stands in a page of results, read back from it. FER_CHART_JS names an empty library.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace fer::test {

class PageData {
 public:
  explicit PageData(const std::string& page) {
    const std::string begin = "id=\"data\">";
    const std::size_t from = page.find(begin);
    if (from == std::string::npos) throw std::runtime_error("a page without data");
    const std::size_t at = from + begin.size();
    data_ = nlohmann::json::parse(page.substr(at, page.find("</script>", at) - at));
  }

  std::string title() const { return data_["title"]; }

  /// Texts of the blocks of a type, in their order.
  std::vector<std::string> texts(const std::string& type) const {
    std::vector<std::string> found;
    for (const auto& block : data_["blocks"])
      if (block["type"] == type) found.push_back(block["text"]);
    return found;
  }

  /// Rows of all tables: cells with a bar between; a star behind what is the best.
  std::vector<std::string> rows() const {
    std::vector<std::string> found;
    for (const auto& block : data_["blocks"]) {
      if (block["type"] != "table") continue;
      for (const auto& row : block["rows"]) {
        std::string line;
        for (const auto& cell : row) {
          line += line.empty() ? "" : "|";
          line +=
              cell.is_string() ? cell.get<std::string>() : cell["text"].get<std::string>() + "*";
        }
        found.push_back(line);
      }
    }
    return found;
  }

  /// The first block of a type whose title begins so; null where there is none.
  nlohmann::json block(const std::string& type, const std::string& title = "") const {
    for (const auto& block : data_["blocks"])
      if (block["type"] == type && block.value("title", "").rfind(title, 0) == 0) return block;
    return {};
  }

  /// Of a chart's series the y at an x; NaN where there is none.
  double at(const std::string& chart, const std::string& series, double x) const {
    const auto found = block("chart", chart);
    if (found.is_null()) return NAN;
    for (const auto& one : found["series"]) {
      if (one["name"] != series) continue;
      for (const auto& point : one["points"])
        if (point[0] == x) return point[1].is_null() ? NAN : point[1].get<double>();
    }
    return NAN;
  }

  /// What a mark at an x says; empty where there is none.
  std::string mark(const std::string& chart, const std::string& kind, double x) const {
    const auto found = block("chart", chart);
    for (const auto& one : found["marks"]) {
      if (one["name"] != kind) continue;
      for (const auto& at : one["at"])
        if (at[0] == x) return at[1];
    }
    return "";
  }

 private:
  nlohmann::json data_;
};

}  // namespace fer::test
