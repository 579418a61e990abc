// Makes faces unrecognisable in the pixels of a raw frame, whatever its format.
#pragma once

#include <gst/video/video.h>

#include "face-meta.h"
#include "overlay-canvas.h"

namespace fer {

/// A covered box is cut into so many cells each way, and of each nothing is kept but its mean.
/// Styles that keep the picture's colours share it, so that no style tells more than 36 means of a
/// face. People recognise known faces down to some 16 cells each way (Harmon 1973, "The recognition
/// of faces").
constexpr int kCellsAcrossFace = 6;

/// What is covered besides the box, on each side, as a share of the box's width or height: hair,
/// ears, chin, and what the face moves until it is found again.
constexpr double kCoverMargin = 0.3;

enum class CoverStyle {
  kGaussian,  ///< The cells' means, smoothed and blended into one another.
  kPixelate,  ///< The cells' means.
  kMask,      ///< A drawn face (overlay-drawn-face.h): nothing of the picture is kept.
};

/// The pixels that hide a face: its box and the margin around it, as far as they lie in a frame of
/// this size. At least one pixel.
Rect cover_of(const FaceRecord& face, int width, int height);

/// Replaces what lies in the rectangle by means of cells, as kGaussian or kPixelate. A cell is a
/// `kCellsAcrossFace`-th of `face_width` x `face_height` pixels or larger, and never smaller than a
/// sample. All components are covered but alpha; where chroma is subsampled, every sample that
/// shares a pixel with the rectangle is. The frame must be mapped for writing in the processor's
/// memory.
void cover_pixels(GstVideoFrame& frame, const Rect& rect, double face_width, double face_height,
                  CoverStyle style);

}  // namespace fer
