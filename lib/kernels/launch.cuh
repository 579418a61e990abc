// Helpers that all kernel launches share.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/batch.h"
#include "kernels/kernel_table.h"

namespace fer::kernels {

inline constexpr int kThreads = 256;
/// The most blocks that a grid has along y.
inline constexpr int kMaxBlocksY = 65535;

/// Blocks of kThreads for `count` elements, at most `most`: the kernels stride over the rest.
inline int blocks_for(long long count, int max) {
  return static_cast<int>(std::clamp<long long>((count + kThreads - 1) / kThreads, 1, max));
}

/// Null, or the runtime's words for an error of the launches so far.
inline const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

/// The sum over a warp, in its first lane; the same order in every run.
template <typename Value>
__device__ inline Value warp_sum(Value value) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_down_sync(~0u, value, offset);
  return value;
}

/// True in all threads of the block that is the last of the grid to get here; `arrived` is 0 at
/// first. What the other blocks wrote before is then seen.
__device__ inline bool last_block(unsigned* arrived) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(arrived, 1u) == gridDim.x - 1;
  __syncthreads();
  if (last) __threadfence();
  return last;
}

/// What a thread makes at a time where rows divide so: neighbours in a row, whose loads are in
/// flight together and which are stored at once.
inline constexpr int kQuad = 4;

/// Whether the batch's rows divide into quads.
inline bool has_quads(const Batch& b) {
  return b.width % kQuad == 0;
}

/// Stores channel c of pixels (y, x) to (y, x + 3) of picture n.
__device__ inline void store_quad(const Batch& b, std::size_t n, int c, int y, int x,
                                  const float (&v)[kQuad]) {
  const std::size_t at = index_in(b, n, c, y, x);
  const bool together = (b.order == Batch::kNchw || b.channels == 1) &&
                        reinterpret_cast<std::size_t>(b.data) % (kQuad * sizeof(float)) == 0;
  if (!together) {
    const std::size_t step = b.order == Batch::kNchw ? 1 : static_cast<std::size_t>(b.channels);
    for (std::size_t k = 0; k < kQuad; ++k) store(b, at + k * step, v[k]);
    return;
  }
  const auto halves = [&](std::uint16_t (*bits)(float)) {
    static_cast<ushort4*>(b.data)[at / kQuad] =
        make_ushort4(bits(v[0]), bits(v[1]), bits(v[2]), bits(v[3]));
  };
  switch (b.type) {
    case Batch::kFp32:
      static_cast<float4*>(b.data)[at / kQuad] = make_float4(v[0], v[1], v[2], v[3]);
      break;
    case Batch::kFp16:
      halves(half_bits);
      break;
    case Batch::kBf16:
      halves(bfloat16_bits);
      break;
    case Batch::kUint8:
      static_cast<uchar4*>(b.data)[at / kQuad] =
          make_uchar4(byte_of(v[0]), byte_of(v[1]), byte_of(v[2]), byte_of(v[3]));
      break;
  }
}

/// The grid's y strides over the pictures, its x over a picture's pixels.
template <typename Body>
__global__ void for_each_pixel(int count, int height, int width, Body body) {
  const int pixel = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (pixel >= width * height) return;
  const int y = pixel / width, x = pixel - y * width;
  for (int n = static_cast<int>(blockIdx.y); n < count; n += static_cast<int>(gridDim.y))
    body(n, y, x);
}

/// Calls `body(n, y, x)` on the device for each pixel of `count` pictures.
template <typename Body>
const char* launch_pixels(int count, int height, int width, Stream stream, const Body& body) {
  if (count == 0) return nullptr;
  const dim3 grid((width * height + kThreads - 1) / kThreads, std::min(count, kMaxBlocksY));
  for_each_pixel<<<grid, kThreads, 0, stream>>>(count, height, width, body);
  return launch_error();
}

}  // namespace fer::kernels
