#include "report/confusion_plot.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "model/atomic_file.h"

namespace fer {
namespace {

struct Colour {
  double r, g, b;
};

/// From white through blue to navy; evenly spaced stops of ColorBrewer's "Blues".
constexpr std::array<Colour, 6> kRamp{{{1, 1, 1},
                                       {0.871, 0.922, 0.969},
                                       {0.620, 0.792, 0.882},
                                       {0.259, 0.573, 0.776},
                                       {0.031, 0.318, 0.612},
                                       {0.031, 0.188, 0.420}}};
constexpr Colour kInk{0.13, 0.15, 0.18}, kSoft{0.42, 0.45, 0.50}, kPaper{1, 1, 1};
constexpr Colour kLine{0.80, 0.83, 0.87};

// Pixels.
constexpr double kCell = 66, kMargin = 26, kGap = 12;
constexpr double kTitle = 19, kText = 14, kSmall = 11.5;
/// PNGs have so many pixels in place of one, so that they stay sharp on today's screens.
constexpr double kPngScale = 2;

using Cairo = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;
using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;

Colour ramp(double share) {
  const double place = std::clamp(share, 0.0, 1.0) * (kRamp.size() - 1);
  const std::size_t i = std::min<std::size_t>(static_cast<std::size_t>(place), kRamp.size() - 2);
  const double t = place - static_cast<double>(i);
  const auto mix = [&](double a, double b) { return a + t * (b - a); };
  return {mix(kRamp[i].r, kRamp[i + 1].r), mix(kRamp[i].g, kRamp[i + 1].g),
          mix(kRamp[i].b, kRamp[i + 1].b)};
}

void set_colour(cairo_t* cr, const Colour& c) {
  cairo_set_source_rgb(cr, c.r, c.g, c.b);
}

void set_font(cairo_t* cr, double size, bool bold = false) {
  cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cr, size);
}

double width_of(cairo_t* cr, const std::string& text) {
  cairo_text_extents_t extents;
  cairo_text_extents(cr, text.c_str(), &extents);
  return extents.x_advance;
}

/// `anchor`: 0 puts the text's left end at x, 0.5 its middle, 1 its right end. y is the baseline.
void put_text(cairo_t* cr, double x, double y, const std::string& text, double anchor = 0) {
  cairo_move_to(cr, x - anchor * width_of(cr, text), y);
  cairo_show_text(cr, text.c_str());
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
    set_font(cr, kText);
    for (const std::string& label : confusion.labels())
      row_labels = std::max(row_labels, width_of(cr, label));
    cell_width = std::max(kCell, row_labels + 10);
    set_font(cr, kText, true);
    const double totals = width_of(cr, "99999") + kGap;
    left = kMargin + kText + kGap + row_labels + kGap;
    top = kMargin + kTitle + 8 + kText + 26 + kText + kGap + kText + 8;
    width = left + n * cell_width + totals + kMargin;
    height = top + n * kCell + kMargin;
    set_font(cr, kTitle, true);
    width = std::max(width, 2 * kMargin + width_of(cr, title));
    set_font(cr, kText);
    width = std::max(width, 2 * kMargin + width_of(cr, caption));
  }
};

void draw(cairo_t* cr, const Layout& layout, const Confusion& confusion, const std::string& title,
          const std::string& caption) {
  const auto& labels = confusion.labels();
  const int n = static_cast<int>(labels.size());
  const double right = layout.left + n * layout.cell_width;
  set_colour(cr, kPaper);
  cairo_paint(cr);

  set_colour(cr, kInk);
  set_font(cr, kTitle, true);
  put_text(cr, kMargin, kMargin + kTitle - 3, title);
  set_colour(cr, kSoft);
  set_font(cr, kText);
  put_text(cr, kMargin, kMargin + kTitle + 8 + kText, caption);

  // Axes.
  put_text(cr, (layout.left + right) / 2, layout.top - kText - kGap - 8, "predicted", 0.5);
  cairo_save(cr);
  cairo_translate(cr, kMargin + kText - 2, layout.top + n * kCell / 2);
  cairo_rotate(cr, -std::acos(-1.0) / 2);
  put_text(cr, 0, 0, "label", 0.5);
  cairo_restore(cr);
  put_text(cr, right + kGap, layout.top - 10, "n");
  set_colour(cr, kInk);
  for (int i = 0; i < n; ++i) {
    put_text(cr, layout.left + (i + 0.5) * layout.cell_width, layout.top - 10, labels[i], 0.5);
    put_text(cr, layout.left - kGap, layout.top + (i + 0.5) * kCell + kText * 0.35, labels[i], 1);
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
      set_colour(cr, share > 0.58 ? kPaper : count > 0 ? kInk : kSoft);
      set_font(cr, kText, i == j);
      put_text(cr, middle, y + kCell / 2 - 1, percent(share), 0.5);
      set_font(cr, kSmall);
      put_text(cr, middle, y + kCell / 2 + kSmall + 4, std::to_string(count), 0.5);
    }
    set_colour(cr, kSoft);
    set_font(cr, kText);
    put_text(cr, right + kGap, layout.top + (i + 0.5) * kCell + kText * 0.35,
             std::to_string(total));
  }
  set_colour(cr, kLine);
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

cairo_status_t append(void* closure, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

std::string ending(const std::filesystem::path& path) {
  std::string text = path.extension().string();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

bool is_plot_path(const std::filesystem::path& path) {
  return ending(path) == ".png" || ending(path) == ".svg";
}

void plot_confusion(const std::filesystem::path& path, const Confusion& confusion,
                    const std::string& title, const std::string& caption) {
  if (!is_plot_path(path))
    throw std::runtime_error(path.string() + ": expected a path that ends in .png or .svg");
  const Surface ruler(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1), cairo_surface_destroy);
  const Layout layout(Cairo(cairo_create(ruler.get()), cairo_destroy).get(), confusion, title,
                      caption);
  std::string bytes;
  cairo_status_t status;
  if (ending(path) == ".svg") {
    Surface surface(
        cairo_svg_surface_create_for_stream(append, &bytes, layout.width, layout.height),
        cairo_surface_destroy);
    {
      const Cairo cr(cairo_create(surface.get()), cairo_destroy);
      draw(cr.get(), layout, confusion, title, caption);
      status = cairo_status(cr.get());
    }
    cairo_surface_finish(surface.get());
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface.get());
  } else {
    const Surface surface(
        cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                   static_cast<int>(std::ceil(layout.width * kPngScale)),
                                   static_cast<int>(std::ceil(layout.height * kPngScale))),
        cairo_surface_destroy);
    cairo_surface_set_device_scale(surface.get(), kPngScale, kPngScale);
    const Cairo cr(cairo_create(surface.get()), cairo_destroy);
    draw(cr.get(), layout, confusion, title, caption);
    status = cairo_status(cr.get());
    if (status == CAIRO_STATUS_SUCCESS)
      status = cairo_surface_write_to_png_stream(surface.get(), append, &bytes);
  }
  if (status != CAIRO_STATUS_SUCCESS)
    throw std::runtime_error(path.string() + ": cannot draw: " + cairo_status_to_string(status));
  write_atomically(path, {bytes});
}

}  // namespace fer
