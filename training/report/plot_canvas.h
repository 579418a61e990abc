// What plots share: colours, fonts, and the way from drawing commands to a PNG or SVG file.
#pragma once

#include <cairo.h>

#include <filesystem>
#include <functional>
#include <string>

namespace fer {

struct PlotColour {
  double r, g, b;
};

inline constexpr PlotColour kPlotInk{0.13, 0.15, 0.18}, kPlotSoft{0.42, 0.45, 0.50};
inline constexpr PlotColour kPlotPaper{1, 1, 1}, kPlotLine{0.80, 0.83, 0.87};

// Pixels.
inline constexpr double kPlotMargin = 26, kPlotGap = 12;
inline constexpr double kPlotTitle = 19, kPlotText = 14, kPlotSmall = 11.5;

void set_colour(cairo_t* cr, const PlotColour& colour);
void set_font(cairo_t* cr, double size, bool bold = false);
double text_width(cairo_t* cr, const std::string& text);
/// `anchor`: 0 puts the text's left end at x, 0.5 its middle, 1 its right end. y is the baseline.
void put_text(cairo_t* cr, double x, double y, const std::string& text, double anchor = 0);
/// A title and a caption below it, at the top left.
void put_title(cairo_t* cr, const std::string& title, const std::string& caption);
/// The height that these take, margin included.
double title_height();
/// The width that these need, margins included. `cr` measures only.
double title_width(cairo_t* cr, const std::string& title, const std::string& caption);

/// A context for measuring texts before the size of the picture is known: `use` gets it.
void with_ruler(const std::function<void(cairo_t*)>& use);

/// Calls `draw` on a white picture of this size and writes it as PNG (twice as many pixels, sharp
/// on today's screens) or SVG, by the path's ending. Atomic. Throws std::runtime_error for another
/// ending or a file that cannot be written.
void write_plot(const std::filesystem::path& path, double width, double height,
                const std::function<void(cairo_t*)>& draw);

/// True for an ending that write_plot() knows.
bool is_plot_path(const std::filesystem::path& path);

}  // namespace fer
