// Text and rounded shapes as coverage, rendered once by Pango and Cairo and kept.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "overlay-canvas.h"

namespace fer {

/// Pixels. A mask takes memory by the square of it.
constexpr double kMaxFontSize = 1000;

/// A piece of one line of text. `left` and `top` say where the mask lies from the pen on the
/// baseline; `advance` is how far the pen moves.
struct TextMask {
  std::vector<std::uint8_t> data;
  int width = 0, height = 0, stride = 0;
  int left = 0, top = 0, advance = 0;

  Coverage coverage() const { return {data.data(), stride, width, height}; }
};

/// Renders and keeps masks. A stream whose labels do not change renders nothing. Not thread-safe;
/// use it on one thread at a time.
class MaskCache {
 public:
  MaskCache();
  ~MaskCache();
  MaskCache(const MaskCache&) = delete;
  MaskCache& operator=(const MaskCache&) = delete;

  /// The font in the words of pango_font_description_from_string(): a family, or more. Its size is
  /// for size_of_font() only. Where it changes, rendered text is thrown away.
  void set_font(const std::string& description);

  /// The size in pixels that the font's description names, kMaxFontSize at most; 0 where it names
  /// none.
  double size_of_font() const;

  /// One line of valid UTF-8. `size` is the em in pixels; text longer than 20 em ends in an
  /// ellipsis. The reference holds until the next call.
  const TextMask& text(const std::string& text, int size, bool bold);

  /// Height of a capital in pixels, by which text is centred.
  int capital_height(int size);

  /// A rounded rectangle of that size. With `line` > 0 only its outline, that many pixels wide,
  /// inwards. The reference holds until the next call.
  Coverage rounded(int width, int height, int radius, int line);

  /// How many masks were rendered so far.
  guint64 rendered() const { return rendered_; }

 private:
  struct Fonts;
  /// Text, size, bold; or the four numbers of a shape.
  using Key = std::tuple<std::string, int, int, int, int>;
  struct Entry {
    TextMask mask;
    std::list<Key>::iterator age;
  };

  template <typename Render>
  const TextMask& get(Key key, Render&& render);
  TextMask render_text(const std::string& text, int size, bool bold);

  std::unique_ptr<Fonts> fonts_;
  std::string font_;
  std::map<Key, Entry> entries_;
  std::list<Key> ages_;  ///< Last used first.
  std::map<int, int> capital_heights_;
  guint64 rendered_ = 0;
};

/// Draws a rounded rectangle; with `line` > 0 its outline only.
void draw_rounded(Canvas& canvas, MaskCache& masks, const Rect& rect, int radius, int line,
                  Argb colour);

/// Draws text with its pen at (x, baseline); returns how far the pen moves.
int draw_text(Canvas& canvas, const TextMask& text, int x, int baseline, Argb colour);

}  // namespace fer
