// Samples raw frames in place: planes with pitches, averaged where they shrink, interpolated where
// they do not. vision/read_region.h and cv::warpAffine do the same in two steps and round twice.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "util/host_device.h"
#include "vision/frame.h"
#include "vision/pixel_layout.h"

namespace fer::kernels {

/// A frame as a kernel takes it. Its pointers are to the memory of the processor or device that
/// reads it.
struct FramePlanes {
  FrameView view;
  PixelLayout layout;
};

/// Throws std::invalid_argument for a format that the kernels do not read.
inline FramePlanes planes_of(const FrameView& view) {
  if (!lies_on_devices(view.format))
    throw std::invalid_argument("the kernels do not read frames of this pixel format");
  return {view, layout_of(view.format)};
}

/// The samples of one component in a plane: every `bytes`-th byte from `data` on.
struct Samples {
  const std::uint8_t* data;
  int pitch, bytes;

  FER_HOST_DEVICE float at(int x, int y) const {
    return data[static_cast<std::ptrdiff_t>(y) * pitch + static_cast<std::ptrdiff_t>(x) * bytes];
  }
};

FER_HOST_DEVICE inline int clamped(int value, int low, int high) {
  return value < low ? low : value > high ? high : value;
}

FER_HOST_DEVICE inline float clamped(float value, float low, float high) {
  return value < low ? low : value > high ? high : value;
}

/// The mean over [x0, x1) x [y0, y1). Pixels at the edge count by the share that lies inside.
FER_HOST_DEVICE inline float box_mean(const Samples& s, float x0, float x1, float y0, float y1) {
  // A little less: a bound that was rounded up must not reach one more pixel.
  const int right = static_cast<int>(std::ceil(x1 - 1e-3f));
  const int bottom = static_cast<int>(std::ceil(y1 - 1e-3f));
  float sum = 0, weights = 0;
  FER_KEEP_LOOP
  for (int y = static_cast<int>(y0 + 1e-3f); y < bottom; ++y) {
    const float fy = static_cast<float>(y);
    const float wy = (fy + 1 < y1 ? fy + 1 : y1) - (fy > y0 ? fy : y0);
    FER_KEEP_LOOP
    for (int x = static_cast<int>(x0 + 1e-3f); x < right; ++x) {
      const float fx = static_cast<float>(x);
      const float w = wy * ((fx + 1 < x1 ? fx + 1 : x1) - (fx > x0 ? fx : x0));
      sum += w * s.at(x, y);
      weights += w;
    }
  }
  return sum / weights;
}

/// A part of a plane that is read as a picture of columns x rows pixels.
struct Region {
  int x, y, width, height;
  int columns, rows;
};

/// The value of the picture's pixel (i, j): the mean of the samples it covers. The picture must be
/// no larger than the region.
FER_HOST_DEVICE inline float mean_of_pixel(const Samples& s, const Region& r, int i, int j) {
  const float bx = static_cast<float>(r.width) / static_cast<float>(r.columns);
  const float by = static_cast<float>(r.height) / static_cast<float>(r.rows);
  const float x0 = static_cast<float>(r.x) + static_cast<float>(i) * bx;
  const float y0 = static_cast<float>(r.y) + static_cast<float>(j) * by;
  return box_mean(s, x0, x0 + bx, y0, y0 + by);
}

/// Interpolation weight of a pixel at this distance: linear, or cubic with a = -0.75 as in OpenCV
/// (Keys 1981).
FER_HOST_DEVICE inline float tap_weight(float distance, bool cubic) {
  const float d = distance < 0 ? -distance : distance, a = -0.75f;
  if (!cubic) return d < 1 ? 1 - d : 0;
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

/// The picture of a region, interpolated linearly or cubically between its pixels; its border is
/// repeated outside. Where the picture is smaller than the region, its pixels are means of samples;
/// else the samples themselves are interpolated.
class PlaneLookUp {
 public:
  FER_HOST_DEVICE PlaneLookUp(const Samples& samples, const Region& region, bool cubic)
      : s_(samples),
        r_(region),
        cubic_(cubic),
        shrunk_(region.columns <= region.width && region.rows <= region.height),
        plain_(!shrunk_ || (region.columns == region.width && region.rows == region.height)),
        last_x_((shrunk_ ? region.columns : region.width) - 1),
        last_y_((shrunk_ ? region.rows : region.height) - 1),
        bx_(static_cast<float>(region.width) / static_cast<float>(region.columns)),
        by_(static_cast<float>(region.height) / static_cast<float>(region.rows)) {}

  /// The value at pixel index (u, v) of the picture.
  FER_HOST_DEVICE float operator()(float u, float v) const {
    return linear() ? linear(u, v) : weighted(u, v);
  }

  /// Whether a value is interpolated from four stored pixels.
  FER_HOST_DEVICE bool linear() const { return plain_ && !cubic_; }

  /// The value where linear().
  FER_HOST_DEVICE float linear(float u, float v) const {
    const Cell cell = cell_of(u, v);
    const float a = direct(cell.i, cell.j), b = direct(cell.i + 1, cell.j);
    const float c = direct(cell.i, cell.j + 1), d = direct(cell.i + 1, cell.j + 1);
    return between(a, b, c, d, cell);
  }

  /// Whether linear() reads inside the region alone for all of u0 to u1 and v0 to v1.
  FER_HOST_DEVICE bool inside(float u0, float v0, float u1, float v1) const {
    stored(u0, v0);
    stored(u1, v1);
    return u0 >= 0 && v0 >= 0 && u1 < static_cast<float>(last_x_) &&
           v1 < static_cast<float>(last_y_);
  }
  /// linear() without clamping; only where inside() holds.
  FER_HOST_DEVICE float linear_inside(float u, float v) const {
    stored(u, v);
    const int i = static_cast<int>(u), j = static_cast<int>(v);
    const std::uint8_t* at =
        s_.data + static_cast<std::ptrdiff_t>(r_.y + j) * s_.pitch + (r_.x + i) * s_.bytes;
    return between(at[0], at[s_.bytes], at[s_.pitch], at[s_.pitch + s_.bytes],
                   {i, j, u - static_cast<float>(i), v - static_cast<float>(j)});
  }

 private:
  /// The pixels between which a value lies.
  struct Cell {
    int i, j;
    float du, dv;
  };

  /// Pixel indices of the picture as those of what is stored.
  FER_HOST_DEVICE void stored(float& u, float& v) const {
    if (shrunk_) return;
    u = (u + 0.5f) * bx_ - 0.5f;
    v = (v + 0.5f) * by_ - 0.5f;
  }

  FER_HOST_DEVICE Cell cell_of(float u, float v) const {
    stored(u, v);
    // Far outside all pixels are the same.
    u = clamped(u, -4.f, static_cast<float>(last_x_) + 4);
    v = clamped(v, -4.f, static_cast<float>(last_y_) + 4);
    const float fu = std::floor(u), fv = std::floor(v);
    return {static_cast<int>(fu), static_cast<int>(fv), u - fu, v - fv};
  }

  FER_HOST_DEVICE static float between(float a, float b, float c, float d, const Cell& cell) {
    const float top = a + cell.du * (b - a), bottom = c + cell.du * (d - c);
    return top + cell.dv * (bottom - top);
  }

  FER_HOST_DEVICE float direct(int i, int j) const {
    return s_.at(r_.x + clamped(i, 0, last_x_), r_.y + clamped(j, 0, last_y_));
  }

  FER_HOST_DEVICE float weighted(float u, float v) const {
    const Cell cell = cell_of(u, v);
    const int before = cubic_ ? -1 : 0, after = cubic_ ? 2 : 1;
    float sum = 0;
    FER_KEEP_LOOP
    for (int y = before; y <= after; ++y) {
      float row = 0;
      FER_KEEP_LOOP
      for (int x = before; x <= after; ++x) {
        const int i = cell.i + x, j = cell.j + y;
        const float value =
            plain_ ? direct(i, j)
                   : mean_of_pixel(s_, r_, clamped(i, 0, last_x_), clamped(j, 0, last_y_));
        row += tap_weight(static_cast<float>(x) - cell.du, cubic_) * value;
      }
      sum += tap_weight(static_cast<float>(y) - cell.dv, cubic_) * row;
    }
    return clamped(sum, 0.f, 255.f);
  }

  const Samples s_;
  const Region r_;
  const bool cubic_, shrunk_, plain_;
  const int last_x_, last_y_;
  const float bx_, by_;  ///< Stored pixels a pixel of the picture.
};

struct Rgb {
  float red, green, blue;
};

FER_HOST_DEVICE inline bool is_rgb(const FramePlanes& frame) {
  return frame.layout.red >= 0;
}

/// The chroma samples that cover a region of the luma plane.
FER_HOST_DEVICE inline Region chroma_of(const Region& r) {
  Region chroma = r;
  chroma.x = r.x / 2;
  chroma.y = r.y / 2;
  chroma.width = (r.x + r.width + 1) / 2 - chroma.x;
  chroma.height = (r.y + r.height + 1) / 2 - chroma.y;
  return chroma;
}

/// Channel 0 to 2 of a frame as it is stored: R, G, B, or luma, Cb, Cr.
FER_HOST_DEVICE inline Samples samples_of(const FramePlanes& f, int channel) {
  const FrameView& view = f.view;
  if (is_rgb(f)) {
    const int offset = channel == 0 ? f.layout.red : channel == 1 ? f.layout.green : f.layout.blue;
    return {view.data[0] + offset, view.stride[0], f.layout.bytes};
  }
  if (channel == 0) return {view.data[0], view.stride[0], 1};
  if (view.format == PixelFormat::kNv12) return {view.data[1] + (channel - 1), view.stride[1], 2};
  return channel == 1 ? Samples{view.data[1], view.stride[1], 1}
                      : Samples{view.data[2], view.stride[2], 1};
}

/// The grey level of stored samples: their luma, stretched to the full range, or BT.601's of R, G,
/// B.
FER_HOST_DEVICE inline float luma_of(const FrameView& view, float luma) {
  return view.full_range ? luma : clamped((luma - 16) * (255.f / 219), 0.f, 255.f);
}
FER_HOST_DEVICE inline float grey_of(const Rgb& c) {
  return 0.299f * c.red + 0.587f * c.green + 0.114f * c.blue;
}

/// Whether the luma alone is enough: for grey frames, and for the grey levels of YUV frames.
FER_HOST_DEVICE inline bool luma_alone(const FramePlanes& f, bool grey) {
  return !is_rgb(f) && (grey || f.view.format == PixelFormat::kGray8);
}

/// The part of channel 0 to 2 that covers a region of the frame.
FER_HOST_DEVICE inline Region part_of(const FramePlanes& f, const Region& r, int channel) {
  return is_rgb(f) || channel == 0 ? r : chroma_of(r);
}

/// The colour of stored values, 0 to 255: R, G and B, or with `grey` the grey level in all three.
/// Where luma_alone() holds, only the first value is read.
FER_HOST_DEVICE inline Rgb colour_of(const FramePlanes& f, float first, float second, float third,
                                     bool grey) {
  if (is_rgb(f)) {
    const float level = grey_of({first, second, third});
    return grey ? Rgb{level, level, level} : Rgb{first, second, third};
  }
  const float luma = luma_of(f.view, first);
  if (luma_alone(f, grey)) return {luma, luma, luma};
  const bool full = f.view.full_range;
  const auto chroma = [&](float value) {
    return full ? value - 128 : clamped((value - 128) * (255.f / 224), -128.f, 127.f);
  };
  // ITU-R BT.601, full range.
  const float blue = chroma(second), red = chroma(third);
  return {clamped(luma + 1.403f * red, 0.f, 255.f),
          clamped(luma - 0.714f * red - 0.344f * blue, 0.f, 255.f),
          clamped(luma + 1.773f * blue, 0.f, 255.f)};
}

/// The colour_of() index (u, v) of a region's picture.
FER_HOST_DEVICE inline Rgb look_up(const FramePlanes& f, const Region& r, float u, float v,
                                   bool cubic, bool grey) {
  float first = 0, second = 0, third = 0;
  FER_KEEP_LOOP
  for (int channel = 0; channel < (luma_alone(f, grey) ? 1 : 3); ++channel) {
    const float value = PlaneLookUp(samples_of(f, channel), part_of(f, r, channel), cubic)(u, v);
    (channel == 0 ? first : channel == 1 ? second : third) = value;
  }
  return colour_of(f, first, second, third, grey);
}

/// The grey level, 0 to 255, of pixel (i, j) of a region's shrunk picture.
FER_HOST_DEVICE inline float pixel_of(const FramePlanes& f, const Region& r, int i, int j) {
  const auto mean = [&](int channel) { return mean_of_pixel(samples_of(f, channel), r, i, j); };
  return is_rgb(f) ? grey_of({mean(0), mean(1), mean(2)}) : luma_of(f.view, mean(0));
}

}  // namespace fer::kernels
