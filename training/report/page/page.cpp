#include "report/page/page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "model/labels.h"
#include "page_files.h"
#include "util/json_text.h"
#include "vision/expression_colours.h"

namespace fer {
namespace {

using nlohmann::json;

std::filesystem::path chart_library() {
  const char* named = std::getenv("FER_CHART_JS");
  return named != nullptr && *named != '\0' ? named : FER_CHART_JS_FILE;
}

std::string chart_library_text() {
  const std::filesystem::path path = chart_library();
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.empty()) {
    throw std::runtime_error(path.string() +
                             ": pages with charts need Chart.js, which is not there: install "
                             "libjs-chart.js, or name its file in FER_CHART_JS");
  }
  if (text.find("</script") != std::string::npos || text.find("<!--") != std::string::npos)
    throw std::runtime_error(path.string() + ": expected Chart.js, found something else");
  return text;
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else {
      safe += c;
    }
  }
  return safe;
}

/// JSON within a script element, which no name can end there.
std::string in_script(const std::string& json) {
  std::string safe;
  for (const char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

json number(double value) {
  return std::isfinite(value) ? json(value) : json();
}

json class_colours() {
  json colours = json::object();
  for (const std::string& label : ferplus_labels()) {
    char text[16];
    std::snprintf(text, sizeof text, "#%06x", expression_rgb(label, 0));
    colours[label] = text;
  }
  return colours;
}

bool shows_anything(const std::vector<Series>& all) {
  return std::any_of(all.begin(), all.end(), [](const Series& one) {
    return std::any_of(one.points.begin(), one.points.end(),
                       [](const auto& point) { return std::isfinite(point.second); });
  });
}

}  // namespace

void require_chart_library() {
  chart_library_text();
}

bool has_chart_library() {
  std::error_code unknown;
  return std::filesystem::is_regular_file(chart_library(), unknown);
}

bool is_page_path(const std::filesystem::path& path) {
  return path.extension() == ".html";
}

Page::Page(const std::string& title)
    : data_{{"title", title}, {"colours", class_colours()}, {"blocks", json::array()}} {}

void Page::block(json block) {
  data_["blocks"].push_back(std::move(block));
}

void Page::heading(const std::string& text, int level) {
  block({{"type", "heading"}, {"text", text}, {"level", level}});
}

void Page::text(const std::string& text) {
  block({{"type", "text"}, {"text", text}});
}

void Page::warning(const std::string& text) {
  block({{"type", "warning"}, {"text", text}});
}

void Page::table(const std::vector<TableColumn>& columns,
                 const std::vector<std::vector<TableCell>>& rows) {
  json heads = json::array(), lines = json::array();
  for (const TableColumn& column : columns)
    heads.push_back({{"name", column.name}, {"text", column.is_text}});
  for (const auto& row : rows) {
    json line = json::array();
    for (const TableCell& cell : row) {
      line.push_back(cell.best ? json{{"text", cell.text}, {"best", true}} : json(cell.text));
    }
    lines.push_back(std::move(line));
  }
  block({{"type", "table"}, {"columns", std::move(heads)}, {"rows", std::move(lines)}});
}

void Page::details(const std::string& summary, const std::string& text) {
  block({{"type", "details"}, {"summary", summary}, {"text", text}});
}

void Page::chart(const ChartSpec& spec, const std::vector<Series>& series) {
  if (!shows_anything(series)) return;
  json lines = json::array(), marks = json::array();
  for (const Series& one : series) {
    json points = json::array();
    for (const auto& [x, y] : one.points) points.push_back({x, number(y)});
    lines.push_back({{"name", one.name}, {"colour", one.colour}, {"points", std::move(points)}});
  }
  for (const Marks& kind : spec.marks) {
    if (kind.at.empty()) continue;
    json at = json::array();
    for (const auto& [x, why] : kind.at) at.push_back({x, why});
    marks.push_back({{"name", kind.name}, {"colour", kind.colour}, {"at", std::move(at)}});
  }
  block({{"type", "chart"},
         {"title", spec.title},
         {"x", spec.x_axis},
         {"shares", spec.shares},
         {"fit", spec.fit},
         {"log", spec.log_x},
         {"marks", std::move(marks)},
         {"series", std::move(lines)}});
}

void Page::bars(const BarsSpec& spec, const std::vector<Bars>& series) {
  json all = json::array();
  for (const Bars& one : series) {
    json values = json::array(), intervals = json::array();
    for (const double value : one.values) values.push_back(number(value));
    for (const auto& [low, high] : one.intervals) intervals.push_back({number(low), number(high)});
    all.push_back(
        {{"name", one.name}, {"values", std::move(values)}, {"intervals", std::move(intervals)}});
  }
  block({{"type", "bars"},
         {"title", spec.title},
         {"categories", spec.categories},
         {"shares", spec.shares},
         {"stacked", spec.stacked},
         {"series", std::move(all)}});
}

void Page::confusion(const std::string& title, const std::vector<std::string>& labels,
                     const std::vector<std::vector<double>>& counts) {
  block({{"type", "confusion"}, {"title", title}, {"labels", labels}, {"counts", counts}});
}

std::string Page::html() const {
  // Nothing is fetched, whatever a name holds.
  const char* policy =
      "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
  return std::string("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">") +
         "<meta http-equiv=\"Content-Security-Policy\" content=\"" + policy +
         "\"><meta name=\"viewport\" content=\"width=device-width\"><title>" +
         escaped(as_utf8(data_["title"].get<std::string>())) + "</title>\n<style>" + kPageStyle +
         "</style></head><body>\n<script type=\"application/json\" id=\"data\">" +
         in_script(json_text(data_)) + "</script>\n<script>" + chart_library_text() +
         "</script>\n<script>" + kPageScript + "</script>\n</body></html>\n";
}

}  // namespace fer
