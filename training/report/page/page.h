// One design for all pages of results: charts that can be looked into, in one file that needs
// nothing from elsewhere.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "report/page/chart.h"

namespace fer {

/// Bars of several categories: a group of bars each, one a series.
struct BarsSpec {
  std::string title;
  std::vector<std::string> categories;
  bool shares = false;   ///< Shown in percent.
  bool stacked = false;  ///< On each other, else beside each other.
};
struct Bars {
  std::string name;
  std::vector<double> values;                             ///< One a category.
  std::vector<std::pair<double, double>> intervals = {};  ///< From, to; empty: none are known.
};

struct TableColumn {
  std::string name;
  bool is_text = false;  ///< To the left; numbers stand to the right.
};
struct TableCell {
  std::string text;
  bool best = false;
};

/// A page, block by block from the top. Texts may hold anything: the page shows them as they are.
class Page {
 public:
  explicit Page(const std::string& title);

  /// `level` 1 is the page's, 2 a part's, 3 below that.
  void heading(const std::string& text, int level = 2);
  void text(const std::string& text);
  void warning(const std::string& text);
  void table(const std::vector<TableColumn>& columns,
             const std::vector<std::vector<TableCell>>& rows);
  /// Text as a program wrote it, behind its summary.
  void details(const std::string& summary, const std::string& text);
  /// Charts that follow each other stand side by side. One without a finite number is left out.
  void chart(const ChartSpec& spec, const std::vector<Series>& series);
  void bars(const BarsSpec& spec, const std::vector<Bars>& series);
  /// A row a label, coloured by its share of the row. `counts`: so many rows and columns.
  void confusion(const std::string& title, const std::vector<std::string>& labels,
                 const std::vector<std::vector<double>>& counts);
  /// A block of a kind that page/page.js knows by its "type".
  void block(nlohmann::json block);

  /// The file. Throws as require_chart_library() does.
  std::string html() const;

 private:
  nlohmann::json data_;
};

/// Throws std::runtime_error, which names the package, where Chart.js is not on this machine.
/// FER_CHART_JS names another file of it.
void require_chart_library();

/// Whether it is there, for commands that write a page beside other results.
bool has_chart_library();

/// True for a path that ends as pages do: .html.
bool is_page_path(const std::filesystem::path& path);

}  // namespace fer
