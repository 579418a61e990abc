#include "overlay-masks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "element_test.h"
#include "overlay-frame-canvas.h"
#include "video-frame.h"

namespace fer {
namespace {

using namespace test;

/// A flat grey frame that shapes are drawn on.
class Sheet {
 public:
  Sheet(const std::string& format, int width, int height)
      : info_(video_info(format, width, height)),
        buffer_(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info_), nullptr)) {
    gst_buffer_memset(buffer_.get(), 0, 100, GST_VIDEO_INFO_SIZE(&info_));
  }

  template <typename Draw>
  void draw(Draw&& body) {
    MappedFrame mapped(info_, buffer_.get(), GST_MAP_READWRITE);
    FrameCanvas canvas(mapped.frame());
    body(canvas);
  }

  std::vector<std::uint8_t> bytes() const { return bytes_of(buffer_.get()); }

  int sample(guint component, int x, int y) {
    MappedFrame mapped(info_, buffer_.get(), GST_MAP_READ);
    const GstVideoFrame& frame = mapped.frame();
    return static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(
        &frame, component))[y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, component) +
                            x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, component)];
  }

 private:
  GstVideoInfo info_;
  BufferPtr buffer_;
};

int ink(const TextMask& mask) {
  return static_cast<int>(std::count_if(mask.data.begin(), mask.data.end(),
                                        [](std::uint8_t value) { return value > 128; }));
}

TEST(MaskCache, RendersATextOnce) {
  MaskCache masks;
  masks.set_font("Sans");
  const TextMask first = masks.text("happiness", 20, false);
  EXPECT_GT(ink(first), 50);
  EXPECT_GT(first.advance, 40);
  EXPECT_LT(first.top, 0) << "above the baseline";
  EXPECT_EQ(masks.rendered(), 1u);
  EXPECT_EQ(masks.text("happiness", 20, false).data, first.data);
  EXPECT_EQ(masks.rendered(), 1u);
  EXPECT_GT(ink(masks.text("happiness", 20, true)), ink(first)) << "bold";
  EXPECT_GT(masks.text("happiness", 40, false).advance, first.advance * 3 / 2);
  EXPECT_EQ(masks.rendered(), 3u);
}

TEST(MaskCache, RendersAnewInAnotherFont) {
  MaskCache masks;
  masks.set_font("Sans");
  const TextMask sans = masks.text("happiness", 20, false);
  masks.set_font("Sans");
  masks.text("happiness", 20, false);
  EXPECT_EQ(masks.rendered(), 1u);
  masks.set_font("Sans Bold");
  EXPECT_NE(masks.text("happiness", 20, false).data, sans.data);
  EXPECT_EQ(masks.rendered(), 2u);
}

TEST(MaskCache, ReadsTheFontsSize) {
  MaskCache masks;
  masks.set_font("Sans");
  EXPECT_EQ(masks.size_of_font(), 0);
  masks.set_font("Sans 12");
  EXPECT_DOUBLE_EQ(masks.size_of_font(), 16) << "12 points at 96 dots an inch";
  masks.set_font("Sans Bold 30px");
  EXPECT_DOUBLE_EQ(masks.size_of_font(), 30);
  masks.set_font("");
  EXPECT_EQ(masks.size_of_font(), 0);
  EXPECT_GT(ink(masks.text("x", 20, false)), 0);
}

TEST(MaskCache, TakesAnyText) {
  MaskCache masks;
  masks.set_font("Sans");
  EXPECT_EQ(masks.text("", 20, false).advance, 0);
  for (const std::string text : {"two\nlines", "\xd7\xa9\xd7\x9e\xd7\x97\xd7\x94",
                                 "\xf0\x9f\x98\x80", "<b>&amp;", "tab\there", " "}) {
    const TextMask& mask = masks.text(text, 20, false);
    EXPECT_LT(mask.height, 50) << text << " stands on one line";
  }
  const TextMask& endless = masks.text(std::string(5000, 'w'), 20, false);
  EXPECT_LE(endless.advance, 20 * 20);
  EXPECT_LE(endless.width, 20 * 20 + 2);
  EXPECT_GT(ink(endless), 1000);
}

TEST(MaskCache, MeasuresCapitals) {
  MaskCache masks;
  masks.set_font("Sans");
  EXPECT_GT(masks.capital_height(40), 20);
  EXPECT_LT(masks.capital_height(40), 40);
  const guint64 rendered = masks.rendered();
  masks.capital_height(40);
  EXPECT_EQ(masks.rendered(), rendered);
}

TEST(MaskCache, ForgetsWhatWasNotUsedForLong) {
  MaskCache masks;
  masks.set_font("Sans");
  masks.text("first", 8, false);
  masks.text("kept", 8, false);
  for (int i = 0; i < 1500; ++i) {
    masks.rounded(2 + i, 1, 0, 0);
    masks.text("kept", 8, false);
  }
  const guint64 rendered = masks.rendered();
  EXPECT_EQ(rendered, 1502u);
  masks.text("kept", 8, false);
  EXPECT_EQ(masks.rendered(), rendered);
  masks.text("first", 8, false);
  EXPECT_EQ(masks.rendered(), rendered + 1);
}

TEST(DrawRounded, LooksAsIfDrawnInOnePiece) {
  MaskCache masks;
  for (const int line : {0, 1, 3}) {
    for (const int radius : {0, 1, 5}) {
      for (const Rect rect : {Rect{3, 4, 40, 30}, Rect{4, 3, 41, 31}, Rect{0, 0, 12, 50},
                              Rect{1, 1, 50, 11}, Rect{5, 5, 13, 13}, Rect{-9, -7, 31, 33},
                              Rect{50, 40, 30, 30}, Rect{2, 2, 1, 1}, Rect{7, 7, 2, 30}}) {
        Sheet pieces("GRAY8", 64, 64), whole("GRAY8", 64, 64);
        pieces.draw(
            [&](Canvas& canvas) { draw_rounded(canvas, masks, rect, radius, line, 0xc0ffffff); });
        const int shown = std::min(radius, std::min(rect.w, rect.h) / 2);
        const Coverage mask =
            masks.rounded(rect.w, rect.h, shown, 2 * line >= std::min(rect.w, rect.h) ? 0 : line);
        whole.draw([&](Canvas& canvas) { canvas.blend(mask, rect.x, rect.y, 0xc0ffffff); });
        EXPECT_EQ(pieces.bytes(), whole.bytes())
            << rect.x << ", " << rect.y << ", " << rect.w << "x" << rect.h << ", radius " << radius
            << ", line " << line;
      }
    }
  }
}

TEST(DrawRounded, LeavesNoSeamsInChroma) {
  MaskCache masks;
  constexpr Argb kHalfBlue = 0x800000ff;
  for (int x = 0; x < 2; ++x) {
    for (int y = 0; y < 2; ++y) {
      for (int size = 40; size < 42; ++size) {
        Sheet sheet("I420", 64, 64);
        sheet.draw([&](Canvas& canvas) {
          draw_rounded(canvas, masks, {x, y, size, size + 1}, 6, 0, kHalfBlue);
        });
        const int inside = sheet.sample(1, 10, 10);
        EXPECT_NE(inside, 100);
        for (int sx = 2; sx < 18; ++sx) {
          EXPECT_EQ(sheet.sample(1, sx, 10), inside) << x << y << size << " at " << sx;
          EXPECT_EQ(sheet.sample(1, 10, sx), inside) << x << y << size << " at " << sx;
        }
      }
    }
  }
}

TEST(DrawRounded, OutlinesLeaveTheInside) {
  MaskCache masks;
  Sheet sheet("GRAY8", 40, 40);
  sheet.draw([&](Canvas& canvas) {
    draw_rounded(canvas, masks, {5, 5, 30, 20}, 4, 2, 0xffffffff);
  });
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 40; ++x) {
      const bool inside = x >= 9 && x < 31 && y >= 9 && y < 21;
      const bool outside = x < 5 || x >= 35 || y < 5 || y >= 25;
      const bool on_side = (x == 5 || x == 6 || x == 33 || x == 34) && y >= 9 && y < 21;
      const int value = sheet.sample(0, x, y);
      EXPECT_TRUE(!(inside || outside) || value == 100) << x << ", " << y;
      EXPECT_TRUE(!on_side || value == 255) << x << ", " << y;
    }
  }
}

TEST(DrawText, StandsOnItsBaseline) {
  MaskCache masks;
  masks.set_font("Sans");
  Sheet sheet("GRAY8", 60, 40);
  int advance = 0;
  sheet.draw([&](Canvas& canvas) {
    advance = draw_text(canvas, masks.text("HH", 20, false), 10, 30, 0xffffffff);
  });
  EXPECT_EQ(advance, masks.text("HH", 20, false).advance);
  int top = 40, bottom = 0;
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 60; ++x) {
      if (sheet.sample(0, x, y) == 100) continue;
      top = std::min(top, y);
      bottom = std::max(bottom, y);
      EXPECT_GE(x, 9);
    }
  }
  EXPECT_EQ(bottom, 29);
  EXPECT_EQ(top, 30 - masks.capital_height(20));
}

}  // namespace
}  // namespace fer
