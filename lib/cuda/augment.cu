// The device form of augment(): a block a view at a time, its pixels in shared memory between the
// operations.
#include "cuda/augment.h"
#include "cuda/launch.cuh"
#include "cuda/launches.h"
#include "cuda/units.h"

namespace fer::kernels {
namespace {

/// What a block shares besides the pixels.
struct Block {
  ViewPlan plan;
  float low[kThreads / 32], high[kThreads / 32];
  unsigned long long sum;
  int counts[kLevels], below[kLevels];
  int last;
};
static_assert(kThreads == kLevels, "a thread a level");

/// Floats that a view needs while it is made: all planes, and one more for what looks at
/// neighbours.
__host__ __device__ std::size_t view_floats(int channels, int side) {
  return static_cast<std::size_t>(channels + 1) * static_cast<std::size_t>(side) *
         static_cast<std::size_t>(side);
}

__device__ void find_range(const float* plane, int size, Block& b, LightStats& stats) {
  float low = plane[0], high = plane[0];
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kThreads) {
    low = fminf(low, plane[i]);
    high = fmaxf(high, plane[i]);
  }
  for (int offset = 16; offset > 0; offset /= 2) {
    low = fminf(low, __shfl_xor_sync(~0u, low, offset));
    high = fmaxf(high, __shfl_xor_sync(~0u, high, offset));
  }
  b.low[threadIdx.x / 32] = low;
  b.high[threadIdx.x / 32] = high;
  __syncthreads();
  for (int w = 0; w < kThreads / 32; ++w) {
    low = fminf(low, b.low[w]);
    high = fmaxf(high, b.high[w]);
  }
  stats.low = low;
  stats.high = high;
}

__device__ void count_levels(const float* plane, int size, Block& b, LightStats& stats) {
  const int thread = static_cast<int>(threadIdx.x);
  b.counts[thread] = 0;
  __syncthreads();
  for (int i = thread; i < size; i += kThreads) atomicAdd(&b.counts[level_of(plane[i])], 1);
  __syncthreads();
  // Sums up to each level, each thread's by doubling steps (Hillis, Steele 1986).
  int sum = b.counts[thread];
  b.below[thread] = sum;
  __syncthreads();
  for (int step = 1; step < kLevels; step *= 2) {
    const int more = thread >= step ? b.below[thread - step] : 0;
    __syncthreads();
    sum += more;
    b.below[thread] = sum;
    __syncthreads();
  }
  // The highest level that there is reaches the whole and has pixels of its own.
  if (b.counts[thread] > 0 && sum == size) b.last = b.counts[thread];
  b.below[thread] = sum - b.counts[thread];
  __syncthreads();
  stats.below = b.below;
  stats.last = b.last;
  stats.pixels = size;
}

__device__ float find_mean(const float* planes, int size, Block& b) {
  if (threadIdx.x == 0) b.sum = 0;
  __syncthreads();
  unsigned long long sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kThreads) sum += to_units(planes[i]);
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) atomicAdd(&b.sum, sum);
  __syncthreads();
  return static_cast<float>(from_units(b.sum) / size);
}

/// Begins and ends with all pixels as they are seen by all threads.
__device__ void change_light(float* planes, float* spare, int channels, int side,
                             const LightStep& step, Block& b) {
  const int size = side * side, thread = static_cast<int>(threadIdx.x);
  if (step.operation == Operation::kSaturation) {
    for (int i = thread; i < size; i += kThreads)
      saturate(planes[i], planes[size + i], planes[2 * size + i], step.factor);
    __syncthreads();
    return;
  }
  LightStats stats;
  if (step.operation == Operation::kContrast) stats.mean = find_mean(planes, channels * size, b);
  for (int c = 0; c < channels; ++c) {
    float* plane = planes + c * size;
    if (step.operation == Operation::kSharpness) {
      for (int i = thread; i < size; i += kThreads) spare[i] = plane[i];
      __syncthreads();
      for (int i = thread; i < size; i += kThreads)
        plane[i] = sharpened(spare, side, i % side, i / side, step.factor);
    } else {
      if (step.operation == Operation::kAutocontrast) find_range(plane, size, b, stats);
      if (step.operation == Operation::kEqualise) count_levels(plane, size, b, stats);
      for (int i = thread; i < size; i += kThreads) plane[i] = lit(step, stats, plane[i]);
    }
    __syncthreads();
  }
}

/// Views alternate: even numbers are weak, odd ones strong.
__global__ void __launch_bounds__(kThreads) make_views(Augment a, float* workspace) {
  extern __shared__ float shared[];
  __shared__ Block b;
  const int size = a.side * a.side, thread = static_cast<int>(threadIdx.x);
  float* planes = workspace ? workspace + blockIdx.x * view_floats(a.channels, a.side) : shared;
  float* spare = planes + a.channels * size;
  for (int number = static_cast<int>(blockIdx.x); number < 2 * a.count;
       number += static_cast<int>(gridDim.x)) {
    const int stream = number % 2, n = number / 2;
    const Augment::View& to = stream == 0 ? a.weak : a.strong;
    if (!to.out.data) continue;
    if (thread == 0) {
      PhiloxRandom random = random_of(a, stream, n);
      b.plan = draw_view(to.config, a.channels, a.side, random);
    }
    __syncthreads();
    const std::uint8_t* crop = crop_of(a, n);
    for (int c = 0; c < a.channels; ++c) {
      for (int i = thread; i < size; i += kThreads)
        planes[c * size + i] =
            seen_at(crop + c * size, a.side, b.plan.view, i % a.side, i / a.side) / 255.f;
    }
    __syncthreads();
    for (int i = 0; i < b.plan.light_steps; ++i)
      change_light(planes, spare, a.channels, a.side, b.plan.light[i], b);
    for (int c = 0; c < a.channels; ++c) {
      for (int i = thread; i < size; i += kThreads) {
        const int x = i % a.side, y = i / a.side;
        const float value = cut_out(b.plan, x, y) ? kCutOut : planes[c * size + i];
        store(to.out, index_in(to.out, static_cast<std::size_t>(n), c, y, x),
              (value - a.mean) / a.stddev);
      }
    }
    __syncthreads();  // Before the next view's plan takes the place of this one's.
  }
}

/// How the current device makes views of this shape.
struct Launch {
  std::size_t shared = 0;     ///< Bytes; 0 where the pixels do not fit.
  std::size_t workspace = 0;  ///< Bytes, where they do not.
  int blocks = 1;             ///< At most.
};

Launch launch_for(int channels, int side) {
  int device = 0, most = 0, processors = 1;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  const std::size_t bytes = view_floats(channels, side) * sizeof(float);
  Launch launch;
  if (bytes + sizeof(Block) + 1024 <= static_cast<std::size_t>(most)) {
    launch.shared = bytes;
    launch.blocks = 1 << 20;
  } else {
    launch.blocks = 4 * processors;
    launch.workspace = bytes * static_cast<std::size_t>(launch.blocks);
  }
  return launch;
}

}  // namespace

std::size_t augment_workspace(int channels, int side) {
  return launch_for(channels, side).workspace;
}

const char* augment_on(const Augment& a, Stream stream) {
  if (a.count == 0) return nullptr;
  const Launch launch = launch_for(a.channels, a.side);
  if (launch.workspace > 0 && !a.workspace) return "augment: expected a workspace";
  if (launch.shared > 0) {
    cudaFuncSetAttribute(make_views, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(launch.shared));
  }
  make_views<<<std::min(2 * a.count, launch.blocks), kThreads, launch.shared, stream>>>(
      a, launch.shared > 0 ? nullptr : static_cast<float*>(a.workspace));
  return launch_error();
}

}  // namespace fer::kernels
