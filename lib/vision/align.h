// Aligned face crops: every face comes out in the same place, size and turn.
//
// Faces are in pixels of the frame as it is shown (vision/shown_frame.h), and crops come out
// upright. Coordinates, here and in Face, run along the pixels' edges: a picture W pixels wide
// spans 0 to W, the centre of its first pixel lies at 0.5, and points scale with the picture.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "export.h"
#include "vision/face.h"
#include "vision/frame.h"

namespace fer {

/// Where the five landmarks come to lie in a crop.
enum class AlignTemplate {
  kFer,      ///< Near FER+'s own geometry (eye distance 0.38 of the width), for expressions.
  kArcFace,  ///< ArcFace's 112x112 template (eye distance 0.31), for identity networks.
};

/// The shape of a crop.
struct CropSpec {
  AlignTemplate align_template = AlignTemplate::kFer;  ///< Where the landmarks lie.
  int width = 48;                                      ///< In pixels.
  int height = 48;                                     ///< In pixels.
  float margin = 0.f;  ///< Extra room on every side, as a share of the crop's side.
  bool grey = true;    ///< 8UC1, else 8UC3 in the order R, G, B.
};

/// By its name in model files: "fer" or "arcface"; "fer" for any other.
FER_API AlignTemplate align_template_named(const std::string& name);

/// The template's landmarks in pixels of a crop of this shape. The template is fitted into the
/// largest centred square of the crop.
FER_API Landmarks template_landmarks(const CropSpec& spec);

/// The 2x3 similarity transform (CV_64F; turn, scale, shift, no mirroring) from pixels of the shown
/// frame to crop pixels: least squares over the five landmarks (Umeyama 1991), or, for a face
/// without landmarks or with unusable ones (not finite, all in one place, mirrored), from where
/// they lie in an upright face's box on average. Always finite and invertible.
FER_API cv::Mat align_transform(const Face& face, const CropSpec& spec);

/// Cuts the face out of the frame, aligned, into `out` (reused where its shape fits). Samples only
/// the region that the crop needs, from the luma plane where grey is wanted and the format has one;
/// averages where the crop shrinks the face; repeats the border outside of the frame.
/// Throws std::invalid_argument for a view without pixels or planes and for a crop without pixels.
FER_API void crop_face(const FrameView& frame, const Face& face, const CropSpec& spec,
                       cv::Mat& out);

/// The whole frame, upright, scaled to the crop's shape: what stands for the face where none was
/// found. Throws as crop_face() does.
FER_API void crop_whole(const FrameView& frame, const CropSpec& spec, cv::Mat& out);

/// Appends the crops of several faces of one frame, as append_planar() does one by one; of a frame
/// in a device's memory, all at once. Throws as crop_face() does.
FER_API void append_crops(const FrameView& frame, const std::vector<Face>& faces,
                          const CropSpec& spec, std::vector<std::uint8_t>& bytes);
/// The same for crop_whole().
FER_API void append_whole(const FrameView& frame, const CropSpec& spec,
                          std::vector<std::uint8_t>& bytes);

/// Appends a crop's bytes (8 bits a channel), channel after channel, as networks and packed
/// datasets hold them.
FER_API void append_planar(const cv::Mat& crop, std::vector<std::uint8_t>& bytes);

}  // namespace fer
