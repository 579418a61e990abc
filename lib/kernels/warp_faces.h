// Cuts aligned face crops straight from the planes of many frames into one normalised batch.
#pragma once

#include <cstddef>

#include "kernels/batch.h"
#include "kernels/frame_sampling.h"
#include "util/host_device.h"
#include "vision/crop_plan.h"

namespace fer::kernels {

/// One crop to cut.
struct FaceWarp {
  int frame;           ///< Index into WarpFaces::frames.
  Region region;       ///< The part of that frame to sample.
  float to_region[6];  ///< 2x3 affine: from the crop's pixel indices to the region picture's.
  bool cubic;
};

/// The crop that a plan describes.
inline FaceWarp face_warp(int frame, const CropPlan& plan) {
  FaceWarp face{
      frame, {plan.x, plan.y, plan.width, plan.height, plan.columns, plan.rows}, {}, plan.enlarges};
  const Affine2x3 back = inverse_of(plan.to_crop);
  for (std::size_t i = 0; i < back.size(); ++i) face.to_region[i] = static_cast<float>(back[i]);
  return face;
}

/// The crop that align_transform()'s similarity `to_crop` (frame pixels to crop pixels) cuts out of
/// a frame of this size.
inline FaceWarp face_warp(int frame, const Affine2x3& to_crop, int frame_width, int frame_height,
                          int crop_width, int crop_height) {
  return face_warp(frame, plan_crop(to_crop, frame_width, frame_height, crop_width, crop_height));
}

/// One launch. All pointers are to the processor's memory for the CPU form and to the device's for
/// the kernel.
struct WarpFaces {
  const FramePlanes* frames = nullptr;
  int frame_count = 0;
  const FaceWarp* faces = nullptr;
  int count = 0;  ///< May be 0.
  /// count x channels x height x width: grey levels or R, G, B as (value / 255 - mean) / stddev;
  /// where its values are bytes, 0 to 255 as they are.
  Batch out;
  float mean = 0, stddev = 1;
};

/// Throws std::invalid_argument that names what is missing or out of range. Does not look into the
/// arrays, which may lie on a device.
void check(const WarpFaces& warp);

/// The CPU form, on the calling thread. Throws as check() does.
void warp_faces(const WarpFaces& warp);

/// How a pixel's values, 0 to 255, are scaled for the batch.
FER_HOST_DEVICE inline Normaliser normaliser_of(const WarpFaces& w) {
  return w.out.type == Batch::kUint8 ? Normaliser(1, 0, 1) : Normaliser(255, w.mean, w.stddev);
}

/// The point of the region's picture that pixel (x, y) of a crop shows.
struct Place {
  float u, v;
};
FER_HOST_DEVICE inline Place place_of(const FaceWarp& face, int y, int x) {
  const float* m = face.to_region;
  const float fx = static_cast<float>(x), fy = static_cast<float>(y);
  return {m[0] * fx + m[1] * fy + m[2], m[3] * fx + m[4] * fy + m[5]};
}

/// Makes one pixel of one crop; both forms call it for each pixel.
FER_HOST_DEVICE inline void warp_pixel(const WarpFaces& w, int n, int y, int x) {
  const FaceWarp& face = w.faces[n];
  const FramePlanes& frame = w.frames[face.frame];
  const Place place = place_of(face, y, x);
  const Normaliser normalised = normaliser_of(w);
  const auto put = [&](int channel, float value) {
    store(w.out, index_in(w.out, static_cast<std::size_t>(n), channel, y, x), normalised(value));
  };
  const Rgb colour = look_up(frame, face.region, place.u, place.v, face.cubic, w.out.channels == 1);
  put(0, colour.red);
  if (w.out.channels == 1) return;
  put(1, colour.green);
  put(2, colour.blue);
}

}  // namespace fer::kernels
