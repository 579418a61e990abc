#include "report/reliability_plot.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "evaluation/reliability.h"
#include "report/plot_canvas.h"

namespace fer {
namespace {

// Pixels.
constexpr double kSide = 420, kHistogram = 90, kAxis = 52;
constexpr int kTicks = 5;
constexpr int kHistogramBins = 20;

constexpr PlotColour kBlue{0.031, 0.318, 0.612}, kGap{0.85, 0.33, 0.23};

std::string percent(double share) {
  return std::to_string(std::lround(100 * share)) + " %";
}

/// A square or a strip whose corners stand for 0 and 1.
struct Panel {
  double left, top, width, height;
  double x(double share) const { return left + share * width; }
  double y(double share) const { return top + (1 - share) * height; }
};

void line(cairo_t* cr, double x0, double y0, double x1, double y1) {
  cairo_move_to(cr, x0, y0);
  cairo_line_to(cr, x1, y1);
  cairo_stroke(cr);
}

void draw_frame(cairo_t* cr, const Panel& panel) {
  set_colour(cr, kPlotLine);
  cairo_set_line_width(cr, 1);
  cairo_rectangle(cr, panel.left, panel.top, panel.width, panel.height);
  cairo_stroke(cr);
}

void draw_bins(cairo_t* cr, const Panel& panel, const std::vector<ReliabilityBin>& bins) {
  set_colour(cr, kPlotLine);
  cairo_set_line_width(cr, 1);
  for (int i = 1; i < kTicks; ++i) {
    const double share = static_cast<double>(i) / kTicks;
    line(cr, panel.x(0), panel.y(share), panel.x(1), panel.y(share));
    line(cr, panel.x(share), panel.y(0), panel.x(share), panel.y(1));
  }
  set_colour(cr, kPlotSoft);
  line(cr, panel.x(0), panel.y(0), panel.x(1), panel.y(1));

  // What is missing to the line, or too much, then the bins themselves.
  set_colour(cr, kGap);
  cairo_set_line_width(cr, 2);
  for (const ReliabilityBin& bin : bins) {
    line(cr, panel.x(bin.confidence), panel.y(bin.confidence), panel.x(bin.confidence),
         panel.y(bin.accuracy));
  }
  set_colour(cr, kBlue);
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const double x = panel.x(bins[i].confidence), y = panel.y(bins[i].accuracy);
    if (i == 0) {
      cairo_move_to(cr, x, y);
    } else {
      cairo_line_to(cr, x, y);
    }
  }
  cairo_stroke(cr);
  for (const ReliabilityBin& bin : bins) {
    cairo_arc(cr, panel.x(bin.confidence), panel.y(bin.accuracy), 4, 0, 2 * std::acos(-1.0));
    cairo_fill(cr);
  }

  set_colour(cr, kPlotSoft);
  set_font(cr, kPlotText);
  for (int i = 0; i <= kTicks; ++i) {
    const double share = static_cast<double>(i) / kTicks;
    put_text(cr, panel.left - 8, panel.y(share) + kPlotText * 0.35, percent(share), 1);
  }
  cairo_save(cr);
  cairo_translate(cr, kPlotMargin + kPlotText - 2, panel.y(0.5));
  cairo_rotate(cr, -std::acos(-1.0) / 2);
  put_text(cr, 0, 0, "accuracy", 0.5);
  cairo_restore(cr);
}

void draw_histogram(cairo_t* cr, const Panel& panel, const std::vector<float>& confidences) {
  const auto bin_of_face = bins_of(confidences, Binning::kEqualWidth, kHistogramBins);
  std::vector<double> shares(kHistogramBins);
  for (const int bin : bin_of_face)
    shares[static_cast<std::size_t>(bin)] += 1.0 / static_cast<double>(confidences.size());
  const double most = *std::max_element(shares.begin(), shares.end());
  set_colour(cr, kBlue);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double width = panel.width / kHistogramBins, height = shares[i] / most * panel.height;
    cairo_rectangle(cr, panel.left + static_cast<double>(i) * width + 1,
                    panel.top + panel.height - height, width - 2, height);
  }
  cairo_fill(cr);
  set_colour(cr, kPlotSoft);
  set_font(cr, kPlotText);
  put_text(cr, panel.left - 8, panel.top + kPlotText, percent(most), 1);
  put_text(cr, panel.left - 8, panel.top + panel.height, "0 %", 1);
  for (int i = 0; i <= kTicks; ++i) {
    const double share = static_cast<double>(i) / kTicks;
    put_text(cr, panel.x(share), panel.top + panel.height + kPlotText + 6, percent(share), 0.5);
  }
  put_text(cr, panel.x(0.5), panel.top + panel.height + 2 * kPlotText + 14,
           "confidence, and the share of the faces that have it", 0.5);
}

}  // namespace

void plot_reliability(const std::filesystem::path& path, const Predictions& predictions,
                      const std::string& title, const std::string& caption) {
  const Panel square{kPlotMargin + kPlotText + kAxis, title_height() + 26, kSide, kSide};
  const Panel strip{square.left, square.top + kSide + kPlotGap, kSide, kHistogram};
  double width = square.left + kSide + kPlotMargin;
  with_ruler([&](cairo_t* cr) { width = std::max(width, title_width(cr, title, caption)); });
  const double height = strip.top + kHistogram + 2 * kPlotText + 14 + kPlotMargin;
  write_plot(path, width, height, [&](cairo_t* cr) {
    put_title(cr, title, caption);
    draw_bins(cr, square, reliability(predictions, Binning::kEqualMass));
    draw_frame(cr, square);
    draw_histogram(cr, strip, confidences_of(predictions));
    draw_frame(cr, strip);
  });
}

}  // namespace fer
