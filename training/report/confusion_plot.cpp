#include "report/confusion_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "report/plot_canvas.h"

namespace fer {
namespace {

/// From white through blue to navy; evenly spaced stops of ColorBrewer's "Blues".
constexpr std::array<PlotColour, 6> kRamp{{{1, 1, 1},
                                           {0.871, 0.922, 0.969},
                                           {0.620, 0.792, 0.882},
                                           {0.259, 0.573, 0.776},
                                           {0.031, 0.318, 0.612},
                                           {0.031, 0.188, 0.420}}};

constexpr double kCell = 66;  // pixels

PlotColour ramp(double share) {
  const double place = std::clamp(share, 0.0, 1.0) * (kRamp.size() - 1);
  const std::size_t i = std::min<std::size_t>(static_cast<std::size_t>(place), kRamp.size() - 2);
  const double t = place - static_cast<double>(i);
  const auto mix = [&](double a, double b) { return a + t * (b - a); };
  return {mix(kRamp[i].r, kRamp[i + 1].r), mix(kRamp[i].g, kRamp[i + 1].g),
          mix(kRamp[i].b, kRamp[i + 1].b)};
}

std::string percent(double share) {
  char text[16];
  const double p = share * 100;
  std::snprintf(text, sizeof text, p >= 99.95 || p < 0.05 ? "%.0f %%" : "%.1f %%", p);
  return text;
}

/// Where everything lies.
struct Layout {
  double row_labels = 0;  ///< Width of the widest label.
  double cell_width = kCell;
  double left = 0, top = 0, width = 0, height = 0;

  /// `cr` is used for measuring only.
  Layout(cairo_t* cr, const Confusion& confusion, const std::string& title,
         const std::string& caption) {
    const auto n = static_cast<double>(confusion.labels().size());
    set_font(cr, kPlotText);
    for (const std::string& label : confusion.labels())
      row_labels = std::max(row_labels, text_width(cr, label));
    cell_width = std::max(kCell, row_labels + 10);
    set_font(cr, kPlotText, true);
    const double totals = text_width(cr, "99999") + kPlotGap;
    left = kPlotMargin + kPlotText + kPlotGap + row_labels + kPlotGap;
    top = title_height() + 26 + kPlotText + kPlotGap + kPlotText + 8;
    width = left + n * cell_width + totals + kPlotMargin;
    height = top + n * kCell + kPlotMargin;
    width = std::max(width, title_width(cr, title, caption));
  }
};

void draw(cairo_t* cr, const Layout& layout, const Confusion& confusion, const std::string& title,
          const std::string& caption) {
  const auto& labels = confusion.labels();
  const int n = static_cast<int>(labels.size());
  const double right = layout.left + n * layout.cell_width;
  put_title(cr, title, caption);

  // Axes.
  put_text(cr, (layout.left + right) / 2, layout.top - kPlotText - kPlotGap - 8, "predicted", 0.5);
  cairo_save(cr);
  cairo_translate(cr, kPlotMargin + kPlotText - 2, layout.top + n * kCell / 2);
  cairo_rotate(cr, -std::acos(-1.0) / 2);
  put_text(cr, 0, 0, "label", 0.5);
  cairo_restore(cr);
  put_text(cr, right + kPlotGap, layout.top - 10, "n");
  set_colour(cr, kPlotInk);
  for (int i = 0; i < n; ++i) {
    put_text(cr, layout.left + (i + 0.5) * layout.cell_width, layout.top - 10, labels[i], 0.5);
    put_text(cr, layout.left - kPlotGap, layout.top + (i + 0.5) * kCell + kPlotText * 0.35,
             labels[i], 1);
  }

  for (int i = 0; i < n; ++i) {
    std::int64_t total = 0;
    for (int j = 0; j < n; ++j) total += confusion.count(i, j);
    for (int j = 0; j < n; ++j) {
      const std::int64_t count = confusion.count(i, j);
      const double share = total ? static_cast<double>(count) / static_cast<double>(total) : 0;
      const double x = layout.left + j * layout.cell_width, y = layout.top + i * kCell;
      cairo_rectangle(cr, x, y, layout.cell_width, kCell);
      set_colour(cr, ramp(share));
      cairo_fill(cr);
      if (total == 0) continue;
      const double middle = x + layout.cell_width / 2;
      // Whichever stands out more: the ramp is dark enough for paper white from here on.
      set_colour(cr, share > 0.58 ? kPlotPaper : count > 0 ? kPlotInk : kPlotSoft);
      set_font(cr, kPlotText, i == j);
      put_text(cr, middle, y + kCell / 2 - 1, percent(share), 0.5);
      set_font(cr, kPlotSmall);
      put_text(cr, middle, y + kCell / 2 + kPlotSmall + 4, std::to_string(count), 0.5);
    }
    set_colour(cr, kPlotSoft);
    set_font(cr, kPlotText);
    put_text(cr, right + kPlotGap, layout.top + (i + 0.5) * kCell + kPlotText * 0.35,
             std::to_string(total));
  }
  set_colour(cr, kPlotLine);
  cairo_set_line_width(cr, 1);
  for (int i = 0; i <= n; ++i) {
    const double y = layout.top + i * kCell, x = layout.left + i * layout.cell_width;
    cairo_move_to(cr, layout.left, y);
    cairo_line_to(cr, right, y);
    cairo_move_to(cr, x, layout.top);
    cairo_line_to(cr, x, layout.top + n * kCell);
  }
  cairo_stroke(cr);
}

}  // namespace

void plot_confusion(const std::filesystem::path& path, const Confusion& confusion,
                    const std::string& title, const std::string& caption) {
  std::optional<Layout> layout;
  with_ruler([&](cairo_t* cr) { layout.emplace(cr, confusion, title, caption); });
  write_plot(path, layout->width, layout->height,
             [&](cairo_t* cr) { draw(cr, *layout, confusion, title, caption); });
}

}  // namespace fer
