// What all launches share.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>

#include "cuda/kernel_table.h"

namespace fer::kernels {

inline constexpr int kThreads = 256;
/// What a grid takes in y.
inline constexpr int kMostBlocksY = 65535;

/// Blocks of kThreads for `count` elements, at most `most`: the kernels stride over the rest.
inline int blocks_for(long long count, int most) {
  return static_cast<int>(std::clamp<long long>((count + kThreads - 1) / kThreads, 1, most));
}

/// Null, or what the runtime says of the launches so far.
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
  const dim3 grid((width * height + kThreads - 1) / kThreads, std::min(count, kMostBlocksY));
  for_each_pixel<<<grid, kThreads, 0, stream>>>(count, height, width, body);
  return launch_error();
}

}  // namespace fer::kernels
