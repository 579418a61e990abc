// Draws in one colour at a time straight into a raw frame, whatever its format.
#pragma once

#include <gst/video/video.h>

#include <array>
#include <cstdint>
#include <vector>

namespace fer {

/// A colour as GStreamer's overlays write it: 0xAARRGGBB, not premultiplied, sRGB, alpha 0
/// invisible.
using Argb = guint32;

/// The colour with its alpha multiplied by `share`, in [0, 1].
Argb faded(Argb colour, double share);

/// Whole pixels of a frame.
struct Rect {
  int x, y, w, h;
  int right() const { return x + w; }
  int bottom() const { return y + h; }
};

/// How much of each pixel a shape covers: 0 nothing, 255 all. A view, it owns nothing.
struct Coverage {
  const std::uint8_t* data;
  int stride;  ///< Bytes from row to row; 0: all rows are the first one.
  int width, height;

  /// The part of it that begins at (x, y).
  Coverage part(int x, int y, int w, int h) const { return {data + y * stride + x, stride, w, h}; }
};

/// Blends single-coloured shapes into a frame that is mapped for writing, in the frame's own colour
/// model, matrix and range. Nothing outside of a shape's rectangle is written, nothing outside of
/// the frame is touched. A chroma sample that a shape covers in part is blended by the mean of the
/// coverage of its pixels.
///
/// gst_video_overlay_composition_blend() was no choice: for each line of a rectangle it unpacks,
/// converts and packs the frame's whole line, knows one matrix only (BT.709, limited range), takes
/// chroma from every second pixel alone, and misplaces what hangs over the left border.
class Canvas {
 public:
  /// The frame must be 8 bits deep and stay mapped while this lives.
  explicit Canvas(GstVideoFrame& frame);

  int width() const { return width_; }
  int height() const { return height_; }

  /// Blends the colour where `shape`, laid with its corner at (x, y), covers the frame.
  void blend(const Coverage& shape, int x, int y, Argb colour);
  void fill(const Rect& rect, Argb colour);

 private:
  /// One plane of the frame, its samples being one or more bytes long.
  struct Plane {
    std::uint8_t* data;
    int stride, step;  ///< Bytes from row to row, from sample to sample.
    bool subsampled;   ///< One sample for two by two pixels.
    /// Which component each byte of a sample holds (Y, U, V or R, G, B); -1: none of them.
    std::array<int, 4> component_at{-1, -1, -1, -1};
  };
  /// A shape's rectangle as far as it lies in the frame, and its coverage from there on.
  struct Clipped {
    Rect rect;
    Coverage shape;
  };

  std::array<std::uint8_t, 3> values_of(Argb colour) const;
  void blend_plane(const Plane& plane, const Clipped& part, unsigned alpha,
                   const std::array<std::uint8_t, 3>& values);
  void mean_coverage(const Clipped& part, int row, unsigned alpha);
  void blend_row(const Plane& plane, int x, int y, const std::uint8_t* alpha, int count);
  const std::uint8_t* over_alpha(const std::uint8_t* alpha, int x, int y, int count);

  int width_, height_;
  std::array<Plane, 3> planes_{};
  int plane_count_;
  int alpha_offset_ = -1;  ///< Of the alpha in a sample of plane 0; -1: the format has none.
  bool rgb_;
  double kr_ = 0.299, kb_ = 0.114;
  std::array<int, 4> offset_{}, scale_{};
  // Rows of alpha and of values, one byte a sample or one a byte of a plane.
  std::vector<std::uint8_t> full_row_, alpha_row_, over_row_, alpha_bytes_, value_bytes_;
  std::vector<std::uint16_t> sums_;
};

}  // namespace fer
