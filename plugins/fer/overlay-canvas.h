// Draws in one colour at a time straight into a raw frame, whatever its format.
#pragma once

#include <gst/video/video.h>

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/blend_shapes.h"
#include "vision/shown_frame.h"

namespace fer {

/// A colour as GStreamer's overlays write it: 0xAARRGGBB, not premultiplied, sRGB, alpha 0
/// invisible.
using Argb = guint32;

/// The colour with its alpha multiplied by `share`, in [0, 1].
Argb faded(Argb colour, double share);

/// Whole pixels.
struct Rect {
  int x, y, w, h;
  int right() const { return x + w; }
  int bottom() const { return y + h; }
};

/// Where a component's value begins in a sample of its plane, in bytes. GStreamer 1.22 gives 1 for
/// the V of P010_10LE, whose values are two bytes long.
int component_offset(const GstVideoFormatInfo& format, guint component);

/// How much of each pixel a shape covers: 0 nothing, 255 all. A view, it owns nothing.
struct Coverage {
  const std::uint8_t* data;
  int stride;  ///< Bytes from row to row; 0: all rows are the first one.
  int width, height;

  /// The part of it that begins at (x, y).
  Coverage part(int x, int y, int w, int h) const { return {data + y * stride + x, stride, w, h}; }
};

/// Blends single-coloured shapes into a frame that is mapped for writing, in the frame's own colour
/// model, matrix, depth and range. Shapes are laid in pixels of the frame as it is shown
/// (vision/shown_frame.h), so that text stands upright and circles stay round. Nothing outside of a
/// shape's rectangle is written, nothing outside of the frame is touched. A chroma sample that a
/// shape covers in part is blended by the mean of the coverage of its pixels.
///
/// gst_video_overlay_composition_blend() was no choice: for each line of a rectangle it unpacks,
/// converts and packs the frame's whole line, knows one matrix only (BT.709, limited range), takes
/// chroma from every second pixel alone, and misplaces what hangs over the left border.
class Canvas {
 public:
  virtual ~Canvas() = default;
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  /// Of the frame as it is shown.
  int width() const { return shown_.width; }
  int height() const { return shown_.height; }

  /// Blends the colour where `shape`, laid with its corner at (x, y), covers the frame.
  void blend(const Coverage& shape, int x, int y, Argb colour);
  void fill(const Rect& rect, Argb colour);

 protected:
  /// The frame must stay mapped while this lives.
  Canvas(const GstVideoFrame& frame, Orientation orientation);

  /// A shape as far as it lies in the frame, and its coverage from there on.
  struct Part {
    Rect rect;
    Coverage shape;
    std::uint8_t alpha;
    std::array<std::uint16_t, 3> values;  ///< The colour as the frame's components.
  };
  /// A plane, or one kind of its samples where luma and chroma lie in one.
  struct Plane : kernels::CanvasPlane {
    int columns = 1, rows = 1;  ///< Pixels across and down a sample.
    int component_bytes = 1;    ///< Two: little endian.
  };
  const std::vector<Plane>& planes() const { return planes_; }
  int stored_width() const { return stored_.w; }
  int stored_height() const { return stored_.h; }
  /// Of the alpha in a sample of the first plane; -1: the format has none.
  int alpha_offset() const { return alpha_offset_; }

 private:
  virtual void draw(const Part& part) = 0;
  void add_component(const GstVideoFrame& frame, guint component);
  std::array<std::uint16_t, 3> values_of(Argb colour) const;
  void draw_stored(const Coverage& shape, int x, int y, Argb colour);
  Rect stored_rect(const Rect& shown) const;

  struct Size {
    int width, height;
  };
  std::vector<Plane> planes_;
  Rect stored_{};  ///< The frame as it lies in memory.
  Size shown_{};
  Orientation orientation_;
  Affine2x3 to_stored_{};
  bool as_stored_;  ///< The frame is shown as it is stored.
  int alpha_offset_ = -1;
  bool rgb_;
  int largest_ = 255, shift_ = 0;  ///< Of a component's values.
  double kr_ = 0.299, kb_ = 0.114;
  std::array<int, 4> offset_{}, scale_{};
  std::vector<std::uint8_t> full_row_;
};

}  // namespace fer
