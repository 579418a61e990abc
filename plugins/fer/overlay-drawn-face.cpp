#include "overlay-drawn-face.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fer {
namespace {

constexpr Argb kOpaque = 0xff000000;
constexpr Argb kInk = 0xff101418;
constexpr int kStrokePieces = 24;

/// What makes a face's expression. Heights are shares of the drawn face's.
struct Features {
  const char* label;
  double mouth_bend;  ///< How far the corners stand above the middle; below 0: they hang.
  double mouth_open;  ///< Height of an open mouth; 0: a line.
  double brow_tilt;   ///< How far the inner ends stand above the outer ones.
  double brow_raise;
  double mouth_tilt;  ///< How far one corner stands above the other.
};

constexpr std::array<Features, 8> kFeatures{{
    {"neutral", 0, 0, 0, 0, 0},
    {"happiness", 0.11, 0, 0, 0.02, 0},
    {"surprise", 0, 0.2, 0, 0.07, 0},
    {"sadness", -0.08, 0, 0.07, 0, 0},
    {"anger", -0.05, 0, -0.09, -0.02, 0},
    {"disgust", -0.06, 0, -0.05, -0.02, 0.05},
    {"fear", -0.04, 0.1, 0.08, 0.05, 0},
    {"contempt", 0, 0, 0, 0, 0.08},
}};

const Features& features_of(const std::string& label) {
  const auto known =
      std::find_if(kFeatures.begin(), kFeatures.end(),
                   [&](const Features& features) { return label == features.label; });
  return known != kFeatures.end() ? *known : kFeatures.front();
}

/// Draws on the unit square inside a rectangle.
class Pen {
 public:
  Pen(Canvas& canvas, MaskCache& masks, const Rect& rect)
      : canvas_(canvas), masks_(masks), side_(std::min(rect.w, rect.h)) {
    left_ = rect.x + (rect.w - side_) / 2.;
    top_ = rect.y + (rect.h - side_) / 2.;
  }

  void dot(double x, double y, double width, double height) {
    const int w = std::max(1, pixels(width)), h = std::max(1, pixels(height));
    draw_rounded(canvas_, masks_, {at(left_, x) - w / 2, at(top_, y) - h / 2, w, h},
                 std::min(w, h) / 2, 0, kInk);
  }

  /// A line from one point to another whose middle hangs lower by `bend`.
  void stroke(double x0, double y0, double x1, double y1, double bend) {
    const int thickness = std::max(1, pixels(0.045));
    for (int i = 0; i < kStrokePieces; ++i) {
      const double t = (i + 0.5) / kStrokePieces;
      const double y = y0 + (y1 - y0) * t + bend * 4 * t * (1 - t);
      const int from = at(left_, x0 + (x1 - x0) * i / kStrokePieces);
      const int to = at(left_, x0 + (x1 - x0) * (i + 1) / kStrokePieces);
      if (to > from) canvas_.fill({from, at(top_, y) - thickness / 2, to - from, thickness}, kInk);
    }
  }

 private:
  int pixels(double share) const { return static_cast<int>(std::lround(share * side_)); }
  int at(double start, double share) const {
    return static_cast<int>(std::lround(start + share * side_));
  }

  Canvas& canvas_;
  MaskCache& masks_;
  int side_;
  double left_ = 0, top_ = 0;
};

}  // namespace

void draw_face_mask(Canvas& canvas, MaskCache& masks, const Rect& rect, Argb colour,
                    const std::string& label) {
  canvas.fill(rect, kOpaque | colour);
  if (label.empty()) return;
  const Features& f = features_of(label);
  Pen pen(canvas, masks, rect);
  for (const double eye : {0.34, 0.66}) pen.dot(eye, 0.42, 0.07, 0.1);
  const double brow = 0.29 - f.brow_raise;
  pen.stroke(0.24, brow + f.brow_tilt / 2, 0.42, brow - f.brow_tilt / 2, 0);
  pen.stroke(0.58, brow - f.brow_tilt / 2, 0.76, brow + f.brow_tilt / 2, 0);
  if (f.mouth_open > 0) {
    pen.dot(0.5, 0.71, 0.18, f.mouth_open);
  } else {
    const double corner = 0.7 - f.mouth_bend / 2;
    pen.stroke(0.33, corner + f.mouth_tilt / 2, 0.67, corner - f.mouth_tilt / 2, f.mouth_bend);
  }
}

}  // namespace fer
