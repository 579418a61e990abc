#include "report/line_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

namespace fer {
namespace {

// Pixels.
constexpr double kWidth = 560, kHeight = 300;
constexpr double kLeft = 52, kRight = 14, kTop = 34, kBottom = 40;
constexpr double kLegendLine = 18, kLegendText = 7.2;  ///< Height of a line, width of a letter.
/// Above this many points the dots, which hovering finds, would hide the line.
constexpr std::size_t kMaxDots = 150;

std::string number(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* style = "") {
  return "<text x=\"" + number(x, 1) + "\" y=\"" + number(y, 1) + "\" text-anchor=\"" + anchor +
         "\"" + style + ">" + escaped(text) + "</text>\n";
}

/// A step of 1, 2 or 5 times a power of ten that makes about `wanted` steps of `range`.
double nice_step(double range, int wanted) {
  const double raw = range / wanted;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1., 2., 5.}) {
    if (factor * power >= raw * 0.999) return factor * power;
  }
  return 10 * power;
}

struct Range {
  double min = 0, max = 1;
};

Range x_range(const std::vector<Series>& series) {
  Range range{INFINITY, -INFINITY};
  for (const Series& one : series) {
    for (const auto& [x, y] : one.points) {
      range.min = std::min(range.min, x);
      range.max = std::max(range.max, x);
    }
  }
  if (!(range.min <= range.max)) return {};
  if (range.min == range.max) range.max = range.min + 1;
  return range;
}

Range y_range(const ChartSpec& spec, const std::vector<Series>& series) {
  if (spec.shares && !spec.fit) return {};
  Range range{spec.fit ? INFINITY : 0, -INFINITY};
  for (const Series& one : series) {
    for (const auto& [x, y] : one.points) {
      if (!std::isfinite(y)) continue;
      range.min = std::min(range.min, y);
      range.max = std::max(range.max, y);
    }
  }
  if (spec.fit && range.min <= range.max) {
    // Some air, and no mountains made of less than a hundredth.
    const double air = std::max((range.max - range.min) * 0.08, 0.01 * std::abs(range.max));
    range.min -= air;
    range.max += air;
    if (spec.shares) range = {std::max(0., range.min), std::min(1., range.max)};
  }
  if (!std::isfinite(range.min)) range.min = 0;
  if (!(range.max > range.min)) range.max = range.min + 1;
  return range;
}

class Plot {
 public:
  Plot(const ChartSpec& spec, const std::vector<Series>& series)
      : spec_(spec), series_(series), xs_(x_range(series)), ys_(y_range(spec, series)) {}

  std::string draw() const {
    const Legend legend = draw_legend();
    std::string svg = "<svg viewBox=\"0 0 " + number(kWidth, 0) + " " +
                      number(kHeight + legend.height, 0) + "\" role=\"img\" aria-label=\"" +
                      escaped(spec_.title) + "\">\n";
    svg += text_at(0, 16, "start", spec_.title, " class=\"title\"");
    svg += draw_axes();
    for (const Marks& marks : spec_.marks) svg += draw_marks(marks);
    for (std::size_t i = 0; i < series_.size(); ++i) svg += draw_line(i);
    return svg + legend.svg + "</svg>\n";
  }

 private:
  double x_at(double x) const {
    const auto place = [&](double value) { return spec_.log_x ? std::log(value) : value; };
    const double min = place(xs_.min), max = place(xs_.max);
    return kLeft + (place(x) - min) / (max - min) * (kWidth - kLeft - kRight);
  }
  std::vector<double> x_ticks() const {
    std::set<double> ticks;
    if (spec_.log_x) {
      for (const Series& one : series_)
        for (const auto& [x, y] : one.points) ticks.insert(x);
      return {ticks.begin(), ticks.end()};
    }
    // Epochs and steps are whole.
    const double step = std::max(1., nice_step(xs_.max - xs_.min, 8));
    for (double x = std::ceil(xs_.min / step) * step; x <= xs_.max + step / 100; x += step)
      ticks.insert(x);
    return {ticks.begin(), ticks.end()};
  }
  double y_at(double y) const {
    return kHeight - kBottom - (y - ys_.min) / (ys_.max - ys_.min) * (kHeight - kTop - kBottom);
  }
  std::string y_text(double y) const {
    return spec_.shares ? short_number(100 * y) + " %" : short_number(y);
  }

  std::string draw_axes() const {
    std::string svg = "<g class=\"axes\">\n";
    const double y_step = nice_step(ys_.max - ys_.min, 5);
    for (double y = std::ceil(ys_.min / y_step) * y_step; y <= ys_.max + y_step / 100;
         y += y_step) {
      const std::string at = number(y_at(y), 1);
      svg += "<line x1=\"" + number(kLeft, 1) + "\" x2=\"" + number(kWidth - kRight, 1) +
             "\" y1=\"" + at + "\" y2=\"" + at + "\"/>\n";
      svg += text_at(kLeft - 6, y_at(y) + 4, "end", y_text(y));
    }
    for (const double x : x_ticks())
      svg += text_at(x_at(x), kHeight - kBottom + 16, "middle", short_number(x));
    svg += text_at((kLeft + kWidth - kRight) / 2, kHeight - 6, "middle", spec_.x_axis);
    return svg + "</g>\n";
  }

  std::string draw_marks(const Marks& marks) const {
    std::string svg;
    for (const auto& [x, text] : marks.at) {
      if (!(x >= xs_.min && x <= xs_.max)) continue;
      const std::string at = number(x_at(x), 1);
      svg += "<g><title>" + escaped(marks.name) + ", " + escaped(spec_.x_axis) + " " +
             short_number(x) + ": " + escaped(text) + "</title><line x1=\"" + at + "\" x2=\"" + at +
             "\" y1=\"" + number(kTop, 1) + "\" y2=\"" + number(kHeight - kBottom, 1) +
             "\" stroke=\"" + marks.colour +
             "\" stroke-width=\"1.4\" stroke-dasharray=\"4 3\"/></g>\n";
    }
    return svg;
  }

  std::string colour_of(std::size_t i) const {
    return series_[i].colour.empty() ? series_colour(i) : series_[i].colour;
  }

  std::string draw_line(std::size_t i) const {
    const Series& one = series_[i];
    const std::string colour = colour_of(i);
    std::string path, dots;
    bool pen_down = false;
    for (const auto& [x, y] : one.points) {
      if (!std::isfinite(y)) {
        pen_down = false;
        continue;
      }
      const std::string px = number(x_at(x), 1);
      const std::string py = number(y_at(std::clamp(y, ys_.min, ys_.max)), 1);
      path += (pen_down ? "L" : "M") + px + " " + py;
      pen_down = true;
      if (one.points.size() > kMaxDots) continue;
      dots += "<circle cx=\"" + px + "\" cy=\"" + py + "\" r=\"2.4\" fill=\"" + colour +
              "\"><title>" + escaped(one.name) + ", " + escaped(spec_.x_axis) + " " +
              short_number(x) + ": " + y_text(y) + "</title></circle>\n";
    }
    if (path.empty()) return "";
    return "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + colour +
           "\" stroke-width=\"1.8\"/>\n" + dots;
  }

  struct Legend {
    std::string svg;
    double height;
  };

  Legend draw_legend() const {
    std::string svg = "<g class=\"legend\">\n";
    double x = kLeft, y = kHeight + 12;
    // `wide`: a line's swatch is a square, a mark's a bar.
    const auto add = [&](const std::string& name, const std::string& colour, double wide) {
      const double width = 22 + kLegendText * static_cast<double>(name.size());
      if (x > kLeft && x + width > kWidth) {
        x = kLeft;
        y += kLegendLine;
      }
      svg += "<rect x=\"" + number(x + (10 - wide) / 2, 1) + "\" y=\"" + number(y - 9, 1) +
             "\" width=\"" + number(wide, 0) + "\" height=\"10\" fill=\"" + colour + "\"/>\n";
      svg += text_at(x + 14, y, "start", name);
      x += width;
    };
    for (std::size_t i = 0; i < series_.size(); ++i) add(series_[i].name, colour_of(i), 10);
    for (const Marks& marks : spec_.marks)
      if (!marks.at.empty()) add(marks.name, marks.colour, 2);
    return {svg + "</g>\n", y + 8 - kHeight};
  }

  const ChartSpec& spec_;
  const std::vector<Series>& series_;
  const Range xs_, ys_;
};

}  // namespace

std::string line_chart(const ChartSpec& spec, const std::vector<Series>& series) {
  return Plot(spec, series).draw();
}

const char* const kChartStyle = R"css(
svg { background: #fff; font: 11.5px system-ui, sans-serif } svg text { fill: #57606a }
svg .title { font-size: 14px; font-weight: 600; fill: #21262d } .axes line { stroke: #e2e6ea }
)css";

std::string line_chart_file(const ChartSpec& spec, const std::vector<Series>& series) {
  const std::string svg = line_chart(spec, series);
  const std::size_t tag = svg.find(' '), content = svg.find('\n') + 1;
  std::string file = "<svg xmlns=\"http://www.w3.org/2000/svg\"";
  file.append(svg, tag, content - tag)
      .append("<style>")
      .append(kChartStyle)
      .append("</style>\n")
      .append(svg, content);
  return file;
}

std::string series_colour(std::size_t i) {
  static constexpr std::array kColours{"#555555", "#b59a00", "#e69f00", "#56b4e9",
                                       "#d55e00", "#009e73", "#0072b2", "#cc79a7"};
  return kColours[i % kColours.size()];
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

}  // namespace fer
