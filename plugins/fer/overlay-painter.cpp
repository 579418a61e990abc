#include "overlay-painter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "vision/expression_colours.h"

namespace fer {
namespace {

// Behind lines and dots, so that they stand out from a picture of their own colour.
constexpr Argb kHalo = 0x59000000;
constexpr Argb kUnlabelled = 0xffffffff;

// Faces below this share of the frame's height get a smaller label, so that a crowd stays readable;
// one that was small grows out of it a little later.
constexpr double kSmallFace = 0.12, kNoLongerSmall = 0.14;
constexpr double kSmallLabel = 0.7;

// Pixels. Beside smaller faces among others, bars would hide the people; a face that had bars
// keeps them a little longer.
constexpr int kFaceWithBars = 80, kFaceWithoutBars = 70;

// All in ems of the label's font.
constexpr double kTagHeight = 1.6, kTagPadding = 0.5, kTagGap = 0.4, kTagRadius = 0.3;
constexpr double kStripe = 0.25;
constexpr double kBarsFont = 0.8;
// In ems of the bars' font.
constexpr double kRow = 1.5, kBarLength = 5, kBarThickness = 0.5, kPanelPadding = 0.7,
                 kNameGap = 0.7;

int pixels(double size) {
  return static_cast<int>(std::lround(size));
}

bool overlap(const Rect& a, const Rect& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

class Painter {
 public:
  Painter(Canvas& canvas, MaskCache& masks, ShownTracks& tracks, const OverlayLook& look)
      : canvas_(canvas), masks_(masks), tracks_(tracks), look_(look) {
    const double height = canvas.height();
    masks.set_font(look.font);
    line_ = look.line_width > 0 ? std::max(1, pixels(look.line_width))
                                : std::clamp(pixels(height / 300), height < 160 ? 1 : 2, 16);
    halo_ = std::max(1, line_ / 2);
    double size = look.font_size > 0 ? look.font_size : masks.size_of_font();
    adapt_size_ = !(size > 0);
    if (adapt_size_) size = std::max(8., 5.5 + height / 48);
    font_ = std::max(1, pixels(size));
  }

  void paint(const std::vector<FaceRecord>& faces) {
    std::vector<Face> shown;
    shown.reserve(faces.size());
    for (const FaceRecord& face : faces) shown.push_back(face_of(face));
    // Larger faces are nearer: they lie on top.
    std::stable_sort(shown.begin(), shown.end(), [](const Face& a, const Face& b) {
      return a.outline.w * a.outline.h < b.outline.w * b.outline.h;
    });
    if (look_.label) place_labels(shown);
    if (look_.bars) place_bars(shown);
    for (const Face& face : shown) {
      if (look_.box) paint_box(face);
      if (look_.landmarks) paint_landmarks(face);
    }
    for (const Face& face : shown) {
      if (face.bars) paint_bars(face);
    }
    for (const Face& face : shown) {
      if (look_.label) paint_label(face);
    }
  }

 private:
  /// A word of a label.
  struct Piece {
    std::string text;
    bool bold;
    double share;  ///< Of the text colour's alpha.
    int width;
  };

  struct Face {
    const FaceRecord* record;
    std::optional<ShownExpression> expression;
    TrackMemory* memory;
    Rect outline;              ///< Of the box's line, from outside.
    std::optional<Rect> bars;  ///< Where they go, if anywhere.
    std::vector<Piece> label;
    Rect tag;  ///< Where the label goes.
    Argb colour;
    int font;  ///< Of the label, pixels.
    int bars_font;
  };

  Face face_of(const FaceRecord& record) {
    const PixelBox box = pixel_box(record, canvas_.width(), canvas_.height());
    Face face{};
    face.record = &record;
    face.expression = tracks_.shown(record);
    face.memory = &tracks_.memory(record);
    face.colour = kUnlabelled;
    face.font = font_;
    const int around = line_ / 2;
    face.outline = {box.x - around, box.y - around, box.w + 2 * around, box.h + 2 * around};
    if (look_.box_colour != 0) {
      face.colour = look_.box_colour;
    } else if (face.expression && !face.expression->unsure) {
      face.colour = expression_colour(face.expression->label, face.expression->label_id);
    }
    if (adapt_size_) {
      const double limit = face.memory->small ? kNoLongerSmall : kSmallFace;
      face.memory->small = record.h < limit;
      if (face.memory->small) face.font = std::max(8, pixels(font_ * kSmallLabel));
    }
    face.bars_font = std::max(1, pixels(face.font * kBarsFont));
    return face;
  }

  int radius_of(const Face& face) const {
    return std::min(pixels(font_ * 0.6), std::min(face.outline.w, face.outline.h) / 4);
  }

  void paint_box(const Face& face) {
    const Rect& box = face.outline;
    const int radius = radius_of(face);
    const Rect outer{box.x - halo_, box.y - halo_, box.w + 2 * halo_, box.h + 2 * halo_};
    draw_rounded(canvas_, masks_, outer, radius + halo_, line_ + 2 * halo_,
                 faded(kHalo, (face.colour >> 24) / 255.));
    draw_rounded(canvas_, masks_, box, radius, line_, face.colour);
  }

  void paint_landmarks(const Face& face) {
    if (!face.record->landmarks) return;
    const auto& points = *face.record->landmarks;
    const int size = std::max(line_ + 2, 3);
    for (std::size_t i = 0; i < points.size(); i += 2) {
      const Rect dot{pixels(points[i] * canvas_.width() - size / 2.),
                     pixels(points[i + 1] * canvas_.height() - size / 2.), size, size};
      const Rect halo{dot.x - halo_, dot.y - halo_, size + 2 * halo_, size + 2 * halo_};
      draw_rounded(canvas_, masks_, halo, halo.w / 2, 0, faded(kHalo, (face.colour >> 24) / 255.));
      draw_rounded(canvas_, masks_, dot, size / 2, 0, face.colour);
    }
  }

  // --- The label: a tag above the box, or where that is out of the frame, below or inside.

  /// Labels that would hide one another are cut down to the expression, and go where they hide
  /// none if there is such a place.
  void place_labels(std::vector<Face>& faces) {
    for (Face& face : faces) {
      face.label = label_of(face);
      face.tag = place_label(face, {});
    }
    std::vector<bool> crowded(faces.size());
    for (std::size_t i = 0; i < faces.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (overlap(faces[i].tag, faces[j].tag)) crowded[i] = crowded[j] = true;
      }
    }
    std::vector<Rect> taken;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      if (!crowded[i]) taken.push_back(faces[i].tag);
    }
    for (std::size_t i = 0; i < faces.size(); ++i) {
      if (!crowded[i]) continue;
      faces[i].label.resize(1);
      faces[i].tag = place_label(faces[i], taken);
      taken.push_back(faces[i].tag);
    }
  }

  std::vector<Piece> label_of(const Face& face) {
    std::vector<Piece> label;
    const auto add = [&](std::string text, bool bold, double share, int min_width) {
      const int advance = masks_.text(text, face.font, bold).advance;
      label.push_back({std::move(text), bold, share, std::max(advance, min_width)});
    };
    const auto add_percent = [&](double share) {
      // Right-aligned in the width of two figures: the tag does not tremble with them.
      const int width = masks_.text("00 %", face.font, false).advance;
      add(std::to_string(pixels(100 * share)) + " %", false, 0.85, width);
    };
    if (face.expression && face.expression->unsure) {
      add("unsure", true, 1, 0);
    } else if (face.expression) {
      add(face.expression->label, true, 1, 0);
      if (face.expression->confidence) add_percent(*face.expression->confidence);
    } else {
      add("face", true, 1, 0);
      add_percent(face.record->confidence);
    }
    if (look_.id && face.record->track_id != 0) {
      add(std::string("#").append(std::to_string(face.record->track_id)), false, 0.65, 0);
    }
    return label;
  }

  int stripe_width(const Face& face) const { return std::max(2, pixels(face.font * kStripe)); }

  /// Above the box, below it or inside: the first of these that is in the frame and free of what is
  /// taken, or at least in the frame.
  Rect place_label(const Face& face, const std::vector<Rect>& taken) const {
    int width = stripe_width(face) + 2 * pixels(face.font * kTagPadding) +
                pixels(face.font * kTagGap) * (static_cast<int>(face.label.size()) - 1);
    for (const Piece& piece : face.label) width += piece.width;
    const int height = pixels(face.font * kTagHeight);
    const Rect& box = face.outline;
    const int gap = halo_ + 1;
    // What is wider than the frame shows its beginning.
    const int x = std::max(0, std::min(box.x - halo_, canvas_.width() - width));
    std::optional<Rect> best;
    for (const int y :
         {box.y - gap - height, box.bottom() + gap, std::max(0, box.y) + line_ + gap}) {
      const Rect tag{x, y, width, height};
      if (y < 0 || tag.bottom() > canvas_.height()) continue;
      if (std::none_of(taken.begin(), taken.end(),
                       [&](const Rect& other) { return overlap(tag, other); })) {
        return tag;
      }
      if (!best) best = tag;
    }
    return best.value_or(Rect{x, std::max(0, canvas_.height() - height), width, height});
  }

  void paint_label(const Face& face) {
    const Rect& tag = face.tag;
    const int radius = pixels(face.font * kTagRadius);
    draw_rounded(canvas_, masks_, tag, radius, 0, look_.background_colour);
    const int inset = std::max(1, radius / 2), stripe = stripe_width(face);
    draw_rounded(canvas_, masks_, {tag.x + inset, tag.y + inset, stripe, tag.h - 2 * inset},
                 stripe / 2, 0, face.colour);
    const int baseline = tag.y + (tag.h + masks_.capital_height(face.font)) / 2;
    int pen = tag.x + stripe + pixels(face.font * kTagPadding);
    for (const Piece& piece : face.label) {
      const TextMask& text = masks_.text(piece.text, face.font, piece.bold);
      draw_text(canvas_, text, pen + piece.width - text.advance, baseline,
                faded(look_.text_colour, piece.share));
      pen += piece.width + pixels(face.font * kTagGap);
    }
  }

  // --- The bars: a panel beside the box.

  struct BarsSize {
    int names, row, padding, gap, bar;
    int width, height;
  };

  BarsSize size_of_bars(const Face& face) {
    const double em = face.bars_font;
    BarsSize size{0,
                  pixels(em * kRow),
                  pixels(em * kPanelPadding),
                  pixels(em * kNameGap),
                  pixels(em * kBarLength),
                  0,
                  0};
    const auto& labels = face.expression->labels;
    for (const std::string& label : labels) {
      size.names = std::max(size.names, masks_.text(label, face.bars_font, false).advance);
    }
    size.width = 2 * size.padding + size.names + size.gap + size.bar;
    size.height = size.padding + size.row * static_cast<int>(labels.size());
    return size;
  }

  /// Gives each face's bars a place where they hide neither a face nor other bars: right or left of
  /// the box, below or above it. Where there is none, the face goes without, as small faces among
  /// others do; only a face alone in a frame that it fills bears them on itself.
  void place_bars(std::vector<Face>& faces) {
    // Bars that stand already stay; the others find a place by the size of their face.
    std::vector<Face*> order;
    for (auto face = faces.rbegin(); face != faces.rend(); ++face) order.push_back(&*face);
    std::stable_partition(order.begin(), order.end(),
                          [](const Face* face) { return face->memory->bars_at >= 0; });
    std::vector<Rect> taken;
    for (Face* face : order) {
      if (!face->expression || face->expression->probabilities.empty()) continue;
      const int least = face->memory->bars_at >= 0 ? kFaceWithoutBars : kFaceWithBars;
      if (faces.size() > 1 && std::min(face->outline.w, face->outline.h) < least) {
        face->memory->bars_at = -1;
        continue;
      }
      const BarsSize size = size_of_bars(*face);
      const Rect& box = face->outline;
      const int gap = halo_ + std::max(2, face->bars_font / 3);
      const int y = std::clamp(box.y - halo_, 0, std::max(0, canvas_.height() - size.height));
      const int x = std::clamp(box.x - halo_, 0, std::max(0, canvas_.width() - size.width));
      // Above and below they leave room for the label.
      const int label = look_.label ? pixels(face->font * kTagHeight) + halo_ + 1 : 0;
      const std::array<Rect, 4> places{{
          {box.right() + gap, y, size.width, size.height},
          {box.x - gap - size.width, y, size.width, size.height},
          {x, box.bottom() + gap + label, size.width, size.height},
          {x, box.y - gap - label - size.height, size.width, size.height},
      }};
      const auto is_free = [&](const Rect& place) {
        const bool inside = place.x >= 0 && place.y >= 0 && place.right() <= canvas_.width() &&
                            place.bottom() <= canvas_.height();
        const auto hides = [&](const Rect& other) { return overlap(place, other); };
        return inside && std::none_of(taken.begin(), taken.end(), hides) &&
               std::none_of(faces.begin(), faces.end(), [&](const Face& other) {
                 return &other != face && hides(other.outline);
               });
      };
      int& at = face->memory->bars_at;
      // Where they stood, they stay as long as they can.
      if (at < 0 || !is_free(places[static_cast<std::size_t>(at)])) {
        at = -1;
        for (int i = 0; i < static_cast<int>(places.size()) && at < 0; ++i) {
          if (is_free(places[static_cast<std::size_t>(i)])) at = i;
        }
      }
      if (at >= 0) {
        face->bars = places[static_cast<std::size_t>(at)];
      } else if (faces.size() == 1 && size.width <= canvas_.width() / 2 &&
                 size.height <= canvas_.height() * 2 / 3) {
        face->bars = {canvas_.width() - size.width - gap, canvas_.height() - size.height - gap,
                      size.width, size.height};
      }
      if (face->bars) taken.push_back(*face->bars);
    }
  }

  void paint_bars(const Face& face) {
    const ShownExpression& expression = *face.expression;
    const BarsSize size = size_of_bars(face);
    const Rect& panel = *face.bars;
    draw_rounded(canvas_, masks_, panel, pixels(face.font * kTagRadius), 0,
                 look_.background_colour);
    const int thickness = std::max(2, pixels(face.bars_font * kBarThickness));
    const int capital = masks_.capital_height(face.bars_font);
    const int bar_x = panel.x + size.padding + size.names + size.gap;
    for (std::size_t i = 0; i < expression.probabilities.size(); ++i) {
      const std::string& name = expression.labels[i];
      const int top = panel.y + size.padding / 2 + size.row * static_cast<int>(i);
      const bool is_top = static_cast<int>(i) == expression.label_id;
      draw_text(canvas_, masks_.text(name, face.bars_font, false), panel.x + size.padding,
                top + (size.row + capital) / 2, faded(look_.text_colour, is_top ? 1 : 0.7));
      const Rect track{bar_x, top + (size.row - thickness) / 2, size.bar, thickness};
      draw_rounded(canvas_, masks_, track, thickness / 2, 0, faded(look_.text_colour, 0.16));
      Rect bar = track;
      bar.w = pixels(size.bar * static_cast<double>(expression.probabilities[i]));
      if (bar.w < thickness) {  // a dot that grows into a bar
        bar.h = bar.w;
        bar.y += (thickness - bar.h) / 2;
      }
      if (bar.w > 0) {
        const Argb colour =
            look_.box_colour != 0 ? look_.box_colour : expression_colour(name, static_cast<int>(i));
        draw_rounded(canvas_, masks_, bar, thickness / 2, 0, colour);
      }
    }
  }

  Canvas& canvas_;
  MaskCache& masks_;
  ShownTracks& tracks_;
  const OverlayLook& look_;
  int line_, halo_, font_;
  bool adapt_size_;  ///< The font's size follows the frame's and the face's.
};

}  // namespace

Argb expression_colour(const std::string& label, int label_id) {
  return 0xff000000 | expression_rgb(label, label_id);
}

void paint_faces(Canvas& canvas, MaskCache& masks, ShownTracks& tracks, const OverlayLook& look,
                 const std::vector<FaceRecord>& faces) {
  Painter(canvas, masks, tracks, look).paint(faces);
}

}  // namespace fer
