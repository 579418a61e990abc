#include "report/plot_canvas.h"

#include <cairo-svg.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "model/atomic_file.h"

namespace fer {
namespace {

/// PNGs have so many pixels in place of one, so that they stay sharp on today's screens.
constexpr double kPngScale = 2;

using Cairo = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;
using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;

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

/// Draws on white paper; what went wrong.
cairo_status_t draw_on(const Surface& surface, const std::function<void(cairo_t*)>& draw) {
  const Cairo cr(cairo_create(surface.get()), cairo_destroy);
  set_colour(cr.get(), kPlotPaper);
  cairo_paint(cr.get());
  draw(cr.get());
  return cairo_status(cr.get());
}

}  // namespace

void set_colour(cairo_t* cr, const PlotColour& c) {
  cairo_set_source_rgb(cr, c.r, c.g, c.b);
}

void set_font(cairo_t* cr, double size, bool bold) {
  cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cr, size);
}

double text_width(cairo_t* cr, const std::string& text) {
  cairo_text_extents_t extents;
  cairo_text_extents(cr, text.c_str(), &extents);
  return extents.x_advance;
}

void put_text(cairo_t* cr, double x, double y, const std::string& text, double anchor) {
  cairo_move_to(cr, x - anchor * text_width(cr, text), y);
  cairo_show_text(cr, text.c_str());
}

void put_title(cairo_t* cr, const std::string& title, const std::string& caption) {
  set_colour(cr, kPlotInk);
  set_font(cr, kPlotTitle, true);
  put_text(cr, kPlotMargin, kPlotMargin + kPlotTitle - 3, title);
  set_colour(cr, kPlotSoft);
  set_font(cr, kPlotText);
  put_text(cr, kPlotMargin, kPlotMargin + kPlotTitle + 8 + kPlotText, caption);
}

double title_height() {
  return kPlotMargin + kPlotTitle + 8 + kPlotText;
}

double title_width(cairo_t* cr, const std::string& title, const std::string& caption) {
  set_font(cr, kPlotTitle, true);
  const double width = text_width(cr, title);
  set_font(cr, kPlotText);
  return 2 * kPlotMargin + std::max(width, text_width(cr, caption));
}

void with_ruler(const std::function<void(cairo_t*)>& use) {
  const Surface ruler(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1), cairo_surface_destroy);
  use(Cairo(cairo_create(ruler.get()), cairo_destroy).get());
}

bool is_plot_path(const std::filesystem::path& path) {
  return ending(path) == ".png" || ending(path) == ".svg";
}

void write_plot(const std::filesystem::path& path, double width, double height,
                const std::function<void(cairo_t*)>& draw) {
  if (!is_plot_path(path))
    throw std::runtime_error(path.string() + ": expected a path that ends in .png or .svg");
  std::string bytes;
  cairo_status_t status;
  if (ending(path) == ".svg") {
    const Surface surface(cairo_svg_surface_create_for_stream(append, &bytes, width, height),
                          cairo_surface_destroy);
    status = draw_on(surface, draw);
    cairo_surface_finish(surface.get());
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface.get());
  } else {
    const Surface surface(cairo_image_surface_create(
                              CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width * kPngScale)),
                              static_cast<int>(std::ceil(height * kPngScale))),
                          cairo_surface_destroy);
    cairo_surface_set_device_scale(surface.get(), kPngScale, kPngScale);
    status = draw_on(surface, draw);
    if (status == CAIRO_STATUS_SUCCESS)
      status = cairo_surface_write_to_png_stream(surface.get(), append, &bytes);
  }
  if (status != CAIRO_STATUS_SUCCESS)
    throw std::runtime_error(path.string() + ": cannot draw: " + cairo_status_to_string(status));
  write_atomically(path, {bytes});
}

}  // namespace fer
