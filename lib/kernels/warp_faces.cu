// The device form of warp_faces(): a block a face at a time, all faces in one launch.
#include "kernels/launch.cuh"
#include "kernels/launches.h"
#include "kernels/warp_faces.h"

namespace fer::kernels {
namespace {

/// Threads a face: where there are many faces few, so that what each must know of its face is
/// little beside its pixels; where there are few many, so that they are soon done. 48 x 48 pixels
/// are nine quads or three for each.
constexpr int kFewThreads = 64, kFaceThreads = 192;
constexpr int kManyFaces = 1024;

/// What one channel of a frame is at four places of a face, where it is looked up linearly.
__device__ void look_up_quad(const PlaneLookUp& plane, bool inside, const Place (&at)[kQuad],
                             float (&values)[kQuad]) {
  if (inside) {
#pragma unroll
    for (int k = 0; k < kQuad; ++k) values[k] = plane.linear_inside(at[k].u, at[k].v);
  } else {
#pragma unroll
    for (int k = 0; k < kQuad; ++k) values[k] = plane.linear(at[k].u, at[k].v);
  }
}

/// Whether all of a face that is looked up linearly is made of pixels within the region.
__device__ bool all_inside(const WarpFaces& w, const FaceWarp& face, const PlaneLookUp& plane) {
  const int right = w.out.width - 1, bottom = w.out.height - 1;
  const Place corners[] = {place_of(face, 0, 0), place_of(face, 0, right),
                           place_of(face, bottom, 0), place_of(face, bottom, right)};
  float u0 = corners[0].u, v0 = corners[0].v, u1 = u0, v1 = v0;
#pragma unroll
  for (int i = 1; i < 4; ++i) {
    u0 = fminf(u0, corners[i].u);
    u1 = fmaxf(u1, corners[i].u);
    v0 = fminf(v0, corners[i].v);
    v1 = fmaxf(v1, corners[i].v);
  }
  return plane.inside(u0, v0, u1, v1);
}

/// Quad by quad, what all of whose channels are looked up linearly.
template <bool kGrey, int kPlanes>
__device__ void cut_linear(const WarpFaces& w, int n, const FaceWarp& face,
                           const FramePlanes& frame, const PlaneLookUp (&planes)[kPlanes]) {
  const Normaliser normalised = normaliser_of(w);
  const bool first_inside = all_inside(w, face, planes[0]);
  const bool others_inside = kPlanes == 3 && all_inside(w, face, planes[kPlanes / 2]);
  const int in_row = w.out.width / kQuad, quads = in_row * w.out.height;
  for (int quad = static_cast<int>(threadIdx.x); quad < quads;
       quad += static_cast<int>(blockDim.x)) {
    const int y = quad / in_row, x = (quad - y * in_row) * kQuad;
    Place at[kQuad];
#pragma unroll
    for (int k = 0; k < kQuad; ++k) at[k] = place_of(face, y, x + k);
    float a[kQuad], b[kQuad] = {}, c[kQuad] = {};
    look_up_quad(planes[0], first_inside, at, a);
    if constexpr (kPlanes == 3) {
      look_up_quad(planes[1], others_inside, at, b);
      look_up_quad(planes[2], others_inside, at, c);
    }
#pragma unroll
    for (int k = 0; k < kQuad; ++k) {
      const Rgb colour = colour_of(frame, a[k], b[k], c[k], kGrey);
      a[k] = normalised(colour.red);
      b[k] = normalised(colour.green);
      c[k] = normalised(colour.blue);
    }
    const auto picture = static_cast<std::size_t>(n);
    store_quad(w.out, picture, 0, y, x, a);
    if (kGrey) continue;
    store_quad(w.out, picture, 1, y, x, b);
    store_quad(w.out, picture, 2, y, x, c);
  }
}

template <bool kGrey>
__global__ void __launch_bounds__(kFaceThreads) cut_faces(WarpFaces w) {
  for (int n = static_cast<int>(blockIdx.x); n < w.count; n += static_cast<int>(gridDim.x)) {
    const FaceWarp face = w.faces[n];
    const FramePlanes frame = w.frames[face.frame];
    const auto plane_of = [&](int channel) {
      return PlaneLookUp(samples_of(frame, channel), part_of(frame, face.region, channel),
                         face.cubic);
    };
    if (luma_alone(frame, kGrey)) {
      const PlaneLookUp luma[] = {plane_of(0)};
      if (luma[0].linear()) {
        cut_linear<kGrey>(w, n, face, frame, luma);
        continue;
      }
    } else {
      const PlaneLookUp planes[] = {plane_of(0), plane_of(1), plane_of(2)};
      if (planes[0].linear() && planes[1].linear()) {
        cut_linear<kGrey>(w, n, face, frame, planes);
        continue;
      }
    }
    for (int i = static_cast<int>(threadIdx.x); i < w.out.width * w.out.height;
         i += static_cast<int>(blockDim.x))
      warp_pixel(w, n, i / w.out.width, i % w.out.width);
  }
}

}  // namespace

const char* warp_faces_on(const WarpFaces& w, Stream stream) {
  if (w.count == 0) return nullptr;
  if (!has_quads(w.out)) {
    return launch_pixels(w.count, w.out.height, w.out.width, stream,
                         [=] __device__(int n, int y, int x) { warp_pixel(w, n, y, x); });
  }
  const auto kernel = w.out.channels == 1 ? cut_faces<true> : cut_faces<false>;
  const int threads = w.count < kManyFaces ? kFaceThreads : kFewThreads;
  kernel<<<w.count, threads, 0, stream>>>(w);
  return launch_error();
}

}  // namespace fer::kernels
