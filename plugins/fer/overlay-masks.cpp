#include "overlay-masks.h"

#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace fer {
namespace {

constexpr std::size_t kMaxMasks = 1024;
constexpr int kMaxTextEms = 20;

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};
template <typename T>
using Owned = std::unique_ptr<T, Release<g_object_unref>>;
using SurfacePtr = std::unique_ptr<cairo_surface_t, Release<cairo_surface_destroy>>;
using CairoPtr = std::unique_ptr<cairo_t, Release<cairo_destroy>>;
using FontPtr = std::unique_ptr<PangoFontDescription, Release<pango_font_description_free>>;
using OptionsPtr = std::unique_ptr<cairo_font_options_t, Release<cairo_font_options_destroy>>;

/// What `draw(cairo)` leaves on an empty mask of that size.
template <typename Draw>
TextMask rendered_mask(int width, int height, Draw&& draw) {
  TextMask mask;
  mask.width = std::max(1, width);
  mask.height = std::max(1, height);
  mask.stride = cairo_format_stride_for_width(CAIRO_FORMAT_A8, mask.width);
  mask.data.resize(static_cast<std::size_t>(mask.stride * mask.height));
  const SurfacePtr surface(cairo_image_surface_create_for_data(
      mask.data.data(), CAIRO_FORMAT_A8, mask.width, mask.height, mask.stride));
  const CairoPtr cairo(cairo_create(surface.get()));
  draw(cairo.get());
  cairo_surface_flush(surface.get());
  return mask;
}

void rounded_path(cairo_t* cairo, double inset, double width, double height, double radius) {
  const double right = width - inset, bottom = height - inset, r = std::max(0., radius - inset);
  cairo_new_sub_path(cairo);
  cairo_arc(cairo, right - r, inset + r, r, -G_PI_2, 0);
  cairo_arc(cairo, right - r, bottom - r, r, 0, G_PI_2);
  cairo_arc(cairo, inset + r, bottom - r, r, G_PI_2, G_PI);
  cairo_arc(cairo, inset + r, inset + r, r, G_PI, 3 * G_PI_2);
  cairo_close_path(cairo);
}

}  // namespace

/// Pango's side. The font map is our own: the default one belongs to a thread, and the streaming
/// thread may be another one after each pause.
struct MaskCache::Fonts {
  Owned<PangoFontMap> map{pango_cairo_font_map_new()};
  Owned<PangoContext> context{pango_font_map_create_context(map.get())};
  Owned<PangoLayout> layout;
  FontPtr description{pango_font_description_new()};

  Fonts() {
    const OptionsPtr options(cairo_font_options_create());
    cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_SLIGHT);
    pango_cairo_context_set_font_options(context.get(), options.get());
    layout.reset(pango_layout_new(context.get()));
    pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
  }
};

MaskCache::MaskCache() : fonts_(std::make_unique<Fonts>()) {}
MaskCache::~MaskCache() = default;

void MaskCache::set_font(const std::string& description) {
  if (font_ == description) return;
  font_ = description;
  fonts_->description.reset(pango_font_description_from_string(description.c_str()));
  entries_.clear();
  ages_.clear();
  capital_heights_.clear();
}

double MaskCache::size_of_font() const {
  const PangoFontDescription* description = fonts_->description.get();
  const double size =
      static_cast<double>(pango_font_description_get_size(description)) / PANGO_SCALE;
  if (!(pango_font_description_get_set_fields(description) & PANGO_FONT_MASK_SIZE)) return 0;
  return std::min(pango_font_description_get_size_is_absolute(description) ? size : size * 96 / 72,
                  kMaxFontSize);
}

/// The mask of that key, rendered where it is not there yet; one that was not used for long makes
/// room for it.
template <typename Render>
const TextMask& MaskCache::get(Key key, Render&& render) {
  const auto known = entries_.find(key);
  if (known != entries_.end()) {
    ages_.splice(ages_.begin(), ages_, known->second.age);
    return known->second.mask;
  }
  TextMask mask = render();
  ++rendered_;
  if (entries_.size() >= kMaxMasks) {
    entries_.erase(ages_.back());
    ages_.pop_back();
  }
  ages_.push_front(key);
  return entries_.emplace(std::move(key), Entry{std::move(mask), ages_.begin()}).first->second.mask;
}

const TextMask& MaskCache::text(const std::string& text, int size, bool bold) {
  return get({text, size, bold, -1, -1}, [&] { return render_text(text, size, bold); });
}

TextMask MaskCache::render_text(const std::string& text, int size, bool bold) {
  PangoLayout* layout = fonts_->layout.get();
  const FontPtr description(pango_font_description_copy(fonts_->description.get()));
  pango_font_description_set_absolute_size(description.get(), size * PANGO_SCALE);
  if (bold && pango_font_description_get_weight(description.get()) < PANGO_WEIGHT_BOLD) {
    pango_font_description_set_weight(description.get(), PANGO_WEIGHT_BOLD);
  }
  pango_layout_set_font_description(layout, description.get());
  pango_layout_set_width(layout, kMaxTextEms * size * PANGO_SCALE);
  pango_layout_set_text(layout, text.data(), static_cast<int>(text.size()));
  PangoRectangle ink, logical;
  pango_layout_get_pixel_extents(layout, &ink, &logical);
  const int baseline = PANGO_PIXELS(pango_layout_get_baseline(layout));
  TextMask mask = rendered_mask(ink.width, ink.height, [&](cairo_t* cairo) {
    cairo_move_to(cairo, -ink.x, -ink.y);
    pango_cairo_show_layout(cairo, layout);
  });
  mask.left = ink.x;
  mask.top = ink.y - baseline;
  mask.advance = logical.x + logical.width;
  return mask;
}

int MaskCache::capital_height(int size) {
  const auto known = capital_heights_.find(size);
  if (known != capital_heights_.end()) return known->second;
  return capital_heights_[size] = -text("H", size, false).top;
}

Coverage MaskCache::rounded(int width, int height, int radius, int line) {
  return get({std::string(), width, height, radius, line},
             [&] {
               return rendered_mask(width, height, [&](cairo_t* cairo) {
                 rounded_path(cairo, 0, width, height, radius);
                 if (line > 0) rounded_path(cairo, line, width, height, radius);
                 cairo_set_fill_rule(cairo, CAIRO_FILL_RULE_EVEN_ODD);
                 cairo_fill(cairo);
               });
             })
      .coverage();
}

void draw_rounded(Canvas& canvas, MaskCache& masks, const Rect& rect, int radius, int line,
                  Argb colour) {
  const auto& [x, y, w, h] = rect;
  if (w <= 0 || h <= 0) return;
  radius = std::clamp(radius, 0, std::min(w, h) / 2);
  if (2 * line >= std::min(w, h)) line = 0;
  // Only the corners need a mask, so large shapes share a small one: what lies between the corners
  // is straight. The pieces meet at even pixels, where no chroma sample belongs to two of them: one
  // that did would be blended twice.
  const int corner = std::max(radius, line) + 1;
  const Coverage mask =
      masks.rounded(std::min(w, 2 * corner), std::min(h, 2 * corner), radius, line);
  /// Where the pieces of one direction begin in the mask and in the shape, and how long they are.
  struct Piece {
    int from, at, length;
  };
  struct Split {
    std::array<Piece, 2> pieces;
    int count;
    int middle, middle_length;  ///< The straight part, where there is one.
  };
  const auto split = [&](int start, int size) -> Split {
    if (size <= 2 * corner) return {{Piece{0, 0, size}}, 1, 0, 0};
    const int head = corner - ((start + corner) & 1);
    const int tail = corner - ((start + size - corner) & 1);
    return {{Piece{0, 0, head}, Piece{2 * corner - tail, size - tail, tail}},
            2,
            head,
            size - head - tail};
  };
  const Split columns = split(x, w), rows = split(y, h);
  for (int row = 0; row < rows.count; ++row) {
    const Piece& vertical = rows.pieces[static_cast<std::size_t>(row)];
    for (int column = 0; column < columns.count; ++column) {
      const Piece& horizontal = columns.pieces[static_cast<std::size_t>(column)];
      canvas.blend(mask.part(horizontal.from, vertical.from, horizontal.length, vertical.length),
                   x + horizontal.at, y + vertical.at, colour);
    }
    if (line == 0) {
      canvas.fill({x + columns.middle, y + vertical.at, columns.middle_length, vertical.length},
                  colour);
    }
  }
  if (line == 0) {
    canvas.fill({x, y + rows.middle, w, rows.middle_length}, colour);
  } else {
    canvas.fill({x + columns.middle, y, columns.middle_length, line}, colour);
    canvas.fill({x + columns.middle, rect.bottom() - line, columns.middle_length, line}, colour);
    canvas.fill({x, y + rows.middle, line, rows.middle_length}, colour);
    canvas.fill({rect.right() - line, y + rows.middle, line, rows.middle_length}, colour);
  }
}

int draw_text(Canvas& canvas, const TextMask& text, int x, int baseline, Argb colour) {
  canvas.blend(text.coverage(), x + text.left, baseline + text.top, colour);
  return text.advance;
}

}  // namespace fer
