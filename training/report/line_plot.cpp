#include "report/line_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <set>

#include "report/plot_canvas.h"

namespace fer {
namespace {

// Pixels.
constexpr double kWidth = 560, kHeight = 320, kAxis = 64, kLegendLine = 22, kDot = 3;
constexpr int kTicks = 5;

/// Okabe and Ito's palette, darkened where paper is white.
constexpr std::array<PlotColour, 8> kColours{{{0.33, 0.33, 0.33},
                                              {0.71, 0.60, 0},
                                              {0.90, 0.62, 0},
                                              {0.34, 0.71, 0.91},
                                              {0.84, 0.37, 0},
                                              {0, 0.62, 0.45},
                                              {0, 0.45, 0.70},
                                              {0.80, 0.47, 0.65}}};

class LinePlot {
 public:
  explicit LinePlot(const Chart& chart) : chart_(chart) {
    double low = INFINITY, high = -INFINITY;
    for (const Series& line : chart.series) {
      for (const auto& [x, y] : line.points) {
        xs_.insert(x);
        if (!std::isfinite(y)) continue;
        low = std::min(low, y);
        high = std::max(high, y);
      }
    }
    if (!chart.spec.fit) low = std::min(0.0, low);
    if (chart.spec.shares && !chart.spec.fit) high = 1;
    const double room = chart.spec.fit ? 0.08 * (high - low) + 1e-6 : 1e-6;
    low_ = std::isfinite(low) ? low - (chart.spec.fit ? room : 0) : 0;
    high_ = std::isfinite(high) ? high + room : 1;
  }

  double height() const {
    return kTop + kHeight + 3 * kPlotText +
           kLegendLine * static_cast<double>(chart_.series.size()) + kPlotMargin;
  }

  void draw(cairo_t* cr) const {
    put_title(cr, chart_.spec.title, "");
    draw_axes(cr);
    double legend = kTop + kHeight + 3 * kPlotText + kPlotGap;
    for (std::size_t i = 0; i < chart_.series.size(); ++i, legend += kLegendLine) {
      const PlotColour& colour = kColours[i % kColours.size()];
      draw_line(cr, chart_.series[i], colour);
      set_colour(cr, colour);
      cairo_rectangle(cr, kLeft, legend - 9, 12, 10);
      cairo_fill(cr);
      set_colour(cr, kPlotInk);
      set_font(cr, kPlotText);
      put_text(cr, kLeft + 20, legend, chart_.series[i].name);
    }
  }

  static constexpr double kTop = kPlotMargin + kPlotTitle + 2 * kPlotGap,
                          kLeft = kPlotMargin + kAxis;

 private:
  double x_at(double x) const {
    if (xs_.size() < 2) return kLeft + kWidth / 2;
    const auto place = [&](double value) { return chart_.spec.log_x ? std::log(value) : value; };
    const double from = place(*xs_.begin()), to = place(*xs_.rbegin());
    return kLeft + kPlotMargin + (place(x) - from) / (to - from) * (kWidth - 2 * kPlotMargin);
  }
  double y_at(double y) const { return kTop + (high_ - y) / (high_ - low_) * kHeight; }

  std::string y_text(double y) const {
    char text[32];
    std::snprintf(text, sizeof text, chart_.spec.shares ? "%.1f %%" : "%.3g",
                  chart_.spec.shares ? 100 * y : y);
    return text;
  }

  void draw_axes(cairo_t* cr) const {
    set_font(cr, kPlotText);
    cairo_set_line_width(cr, 1);
    for (int i = 0; i <= kTicks; ++i) {
      const double y = low_ + (high_ - low_) * i / kTicks;
      set_colour(cr, kPlotLine);
      cairo_move_to(cr, kLeft, y_at(y));
      cairo_line_to(cr, kLeft + kWidth, y_at(y));
      cairo_stroke(cr);
      set_colour(cr, kPlotSoft);
      put_text(cr, kLeft - 8, y_at(y) + kPlotText * 0.35, y_text(y), 1);
    }
    for (const double x : xs_) {
      char text[32];
      std::snprintf(text, sizeof text, "%.6g", x);
      put_text(cr, x_at(x), kTop + kHeight + kPlotText + 6, text, 0.5);
    }
    put_text(cr, kLeft + kWidth / 2, kTop + kHeight + 2 * kPlotText + 12, chart_.spec.x_axis, 0.5);
  }

  void draw_line(cairo_t* cr, const Series& line, const PlotColour& colour) const {
    set_colour(cr, colour);
    cairo_set_line_width(cr, 2);
    bool pen_down = false;
    for (const auto& [x, y] : line.points) {
      if (std::isfinite(y)) (pen_down ? cairo_line_to : cairo_move_to)(cr, x_at(x), y_at(y));
      pen_down = std::isfinite(y);
    }
    cairo_stroke(cr);
    for (const auto& [x, y] : line.points) {
      if (!std::isfinite(y)) continue;
      cairo_arc(cr, x_at(x), y_at(y), kDot, 0, 2 * std::numbers::pi);
      cairo_fill(cr);
    }
  }

  const Chart& chart_;
  std::set<double> xs_;
  double low_ = 0, high_ = 1;
};

}  // namespace

void plot_lines(const std::filesystem::path& path, const Chart& chart) {
  const LinePlot plot(chart);
  write_plot(path, LinePlot::kLeft + kWidth + kPlotMargin, plot.height(),
             [&](cairo_t* cr) { plot.draw(cr); });
}

}  // namespace fer
