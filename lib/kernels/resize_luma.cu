// The device form of resize_luma(): all frames in one launch.
#include "kernels/launch.cuh"
#include "kernels/launches.h"
#include "kernels/resize_luma.h"

namespace fer::kernels {
namespace {

/// Sums of blocks of kFactor x rows bytes, four blocks side by side, the line at a word's boundary.
template <int kFactor>
__device__ void sum_blocks(const std::uint8_t* line, int pitch, int rows, unsigned (&sums)[kQuad]) {
  for (int row = 0; row < rows; ++row, line += pitch) {
    const auto* words = reinterpret_cast<const unsigned*>(line);
    unsigned word[kFactor];
#pragma unroll
    for (int k = 0; k < kFactor; ++k) word[k] = words[k];
#pragma unroll
    for (int byte = 0; byte < kQuad * kFactor; ++byte)
      sums[byte / kFactor] += word[byte / 4] >> (byte % 4 * 8) & 255u;
  }
}

/// By how much a frame is shrunk in x where pixel_of() means over whole stored bytes, a quad's of
/// which are whole words; 0 where it does not.
__device__ int whole_blocks(const ResizeLuma::Frame& frame) {
  const FrameView& view = frame.planes.view;
  if (is_rgb(frame.planes) || frame.width % kQuad != 0 || view.width % frame.width != 0 ||
      view.height % frame.height != 0 || view.stride[0] % 4 != 0 ||
      reinterpret_cast<std::size_t>(view.data[0]) % 4 != 0)
    return 0;
  return view.width / frame.width;
}

/// The same values as resize_pixel()'s: sums of whole numbers are exact in any order.
template <int kFactor>
__device__ void mean_quad(const FrameView& view, int rows, const std::uint8_t* line,
                          float (&levels)[kQuad]) {
  unsigned sums[kQuad] = {};
  sum_blocks<kFactor>(line, view.stride[0], rows, sums);
  const auto pixels = static_cast<float>(kFactor * rows);
#pragma unroll
  for (int k = 0; k < kQuad; ++k) levels[k] = luma_of(view, static_cast<float>(sums[k]) / pixels);
}

/// Quads of one input, kThreads apart, each by `quad_of(y, x, levels)` where it begins within the
/// picture and before `width`.
template <typename QuadOf>
__device__ void fill_quads(const ResizeLuma& r, int n, int width, QuadOf&& quad_of) {
  const ResizeLuma::Frame& frame = r.frames[n];
  const int in_row = r.out.width / kQuad, quads = in_row * r.out.height, height = frame.height;
  for (int quad = static_cast<int>(blockIdx.x * kThreads + threadIdx.x); quad < quads;
       quad += static_cast<int>(gridDim.x) * kThreads) {
    const int y = quad / in_row, x = (quad - y * in_row) * kQuad;
    float levels[kQuad] = {};
    if (y < height && x < width) quad_of(y, x, levels);
    store_quad(r.out, static_cast<std::size_t>(n), 0, y, x, levels);
  }
}

template <int kFactor>
__device__ void fill_means(const ResizeLuma& r, int n) {
  const FrameView view = r.frames[n].planes.view;
  const int rows = view.height / r.frames[n].height;
  const std::ptrdiff_t pitch = view.stride[0];
  fill_quads(r, n, r.frames[n].width, [&](int y, int x, float(&levels)[kQuad]) {
    mean_quad<kFactor>(view, rows, view.data[0] + y * rows * pitch + x * kFactor, levels);
  });
}

__global__ void __launch_bounds__(kThreads) resize_quads(ResizeLuma r) {
  for (int n = static_cast<int>(blockIdx.y); n < r.count; n += static_cast<int>(gridDim.y)) {
    const ResizeLuma::Frame& frame = r.frames[n];
    switch (whole_blocks(frame)) {
      case 1:
        fill_means<1>(r, n);
        break;
      case 2:
        fill_means<2>(r, n);
        break;
      case 3:
        fill_means<3>(r, n);
        break;
      case 4:
        fill_means<4>(r, n);
        break;
      case 6:
        fill_means<6>(r, n);
        break;
      default:
        fill_quads(r, n, frame.width, [&](int y, int x, float(&levels)[kQuad]) {
#pragma unroll
          for (int k = 0; k < kQuad; ++k) levels[k] = level_at(frame, y, x + k);
        });
    }
  }
}

}  // namespace

const char* resize_luma_on(const ResizeLuma& r, Stream stream) {
  if (r.count == 0) return nullptr;
  if (!has_quads(r.out)) {
    return launch_pixels(r.count, r.out.height, r.out.width, stream,
                         [=] __device__(int n, int y, int x) { resize_pixel(r, n, y, x); });
  }
  // Some quads a thread where there are many, so that what it must know of the frame is little
  // beside its pixels.
  constexpr int kManyFrames = 8, kQuadsEach = 8;
  const int quads = r.out.width / kQuad * r.out.height;
  const int together = kThreads * (r.count < kManyFrames ? 1 : kQuadsEach);
  const dim3 grid((quads + together - 1) / together, std::min(r.count, kMaxBlocksY));
  resize_quads<<<grid, kThreads, 0, stream>>>(r);
  return launch_error();
}

}  // namespace fer::kernels
