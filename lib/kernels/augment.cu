// The device form of augment(), in three launches: views are drawn, a thread each; those that need
// nothing but their own pixels are shown, a block each; then those with an operation that looks
// around, their pixels in shared memory between the operations. Apart, since code that each of many
// blocks runs once costs more to fetch than to run.
#include "kernels/augment.h"
#include "kernels/launch.cuh"
#include "kernels/launches.h"
#include "kernels/units.h"

namespace fer::kernels {
namespace {

/// 48 x 48 pixels are three quads for each.
constexpr int kViewThreads = 192;
constexpr int kWarps = kViewThreads / 32;
constexpr int kDrawThreads = 128;

/// What the launches leave each other in the workspace.
struct Drawn {
  AugmentParams* plans;  ///< Of each kind of view `count`: first the weak ones.
  int* around;      ///< Likewise the numbers of those that look around, in any order …
  int* counts;      ///< … and for each kind how many these are.
  float* planes;    ///< For a block each where shared memory does not hold them, else null.
};

/// What a block shares besides the pixels.
struct Block {
  float low[kWarps], high[kWarps];
  unsigned long long sum;
  int counts[kLevels], below[kLevels];
  int last;
};

/// Floats that a view needs while it is made: all planes, and one more for what looks at
/// neighbours.
__host__ __device__ std::size_t view_floats(int channels, int side) {
  return static_cast<std::size_t>(channels + 1) * static_cast<std::size_t>(side) *
         static_cast<std::size_t>(side);
}

__device__ void find_range(const float* plane, int size, Block& b, PhotometricStats& stats) {
  float low = plane[0], high = plane[0];
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kViewThreads) {
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
  for (int w = 0; w < kWarps; ++w) {
    low = fminf(low, b.low[w]);
    high = fmaxf(high, b.high[w]);
  }
  stats.low = low;
  stats.high = high;
}

__device__ void count_levels(const float* plane, int size, Block& b, PhotometricStats& stats) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int level = thread; level < kLevels; level += kViewThreads) b.counts[level] = 0;
  __syncthreads();
  for (int i = thread; i < size; i += kViewThreads) atomicAdd(&b.counts[level_of(plane[i])], 1);
  __syncthreads();
  // The first warp sums up, each of its lanes the levels of its own after those of the lanes
  // before.
  constexpr int kOwn = kLevels / 32;
  if (thread < 32) {
    const int* counts = b.counts + thread * kOwn;
    int own = 0, last = 0;
    for (int i = 0; i < kOwn; ++i) {
      own += counts[i];
      if (counts[i] > 0) last = counts[i];
    }
    int sum = own;
    for (int step = 1; step < 32; step *= 2) {
      const int before = __shfl_up_sync(~0u, sum, step);
      if (thread >= step) sum += before;
    }
    int below = sum - own;
    for (int i = 0; i < kOwn; ++i) {
      b.below[thread * kOwn + i] = below;
      below += counts[i];
    }
    // The highest level that there is belongs to the lane that reaches the whole with its own.
    if (own > 0 && sum == size) b.last = last;
  }
  __syncthreads();
  stats.below = b.below;
  stats.last = b.last;
  stats.pixels = size;
}

__device__ float find_mean(const float* planes, int size, Block& b) {
  if (threadIdx.x == 0) b.sum = 0;
  __syncthreads();
  unsigned long long sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kViewThreads)
    sum += to_units(planes[i]);
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) atomicAdd(&b.sum, sum);
  __syncthreads();
  return static_cast<float>(from_units(b.sum) / size);
}

/// Begins and ends with all pixels as they are seen by all threads.
__device__ void apply_photometric_op(float* planes, float* spare, int channels, int side,
                                     const PhotometricOp& step, Block& b) {
  const int size = side * side, thread = static_cast<int>(threadIdx.x);
  if (step.operation == Operation::kSaturation) {
    for (int i = thread; i < size; i += kViewThreads)
      saturate(planes[i], planes[size + i], planes[2 * size + i], step.factor);
    __syncthreads();
    return;
  }
  PhotometricStats stats;
  if (step.operation == Operation::kContrast) stats.mean = find_mean(planes, channels * size, b);
  for (int c = 0; c < channels; ++c) {
    float* plane = planes + c * size;
    if (step.operation == Operation::kSharpness) {
      for (int i = thread; i < size; i += kViewThreads) spare[i] = plane[i];
      __syncthreads();
      for (int i = thread; i < size; i += kViewThreads)
        plane[i] = sharpened(spare, side, i % side, i / side, step.factor);
    } else {
      if (step.operation == Operation::kAutocontrast) find_range(plane, size, b, stats);
      if (step.operation == Operation::kEqualise) count_levels(plane, size, b, stats);
      for (int i = thread; i < size; i += kViewThreads)
        plane[i] = apply_photometric(step, stats, plane[i]);
    }
    __syncthreads();
  }
}

/// Calls body(c, y, x) for the first of every kPixels pixels in a row, by all threads together.
template <int kPixels, typename Body>
__device__ void for_each_place(int channels, int side, Body&& body) {
  const int in_row = side / kPixels, places = in_row * side;
  for (int c = 0; c < channels; ++c) {
    for (int i = static_cast<int>(threadIdx.x); i < places; i += kViewThreads) {
      const int y = i / in_row;
      body(c, y, (i - y * in_row) * kPixels);
    }
  }
}

/// Views of one kind, and what shows one of them, kPixels neighbours a thread: 1, or a quad.
template <int kPixels>
class Shown {
 public:
  __device__ Shown(const Augment& a, const Augment::View& to, int n, const AugmentParams& plan)
      : a_(a),
        to_(to),
        n_(static_cast<std::size_t>(n)),
        crop_(crop_of(a, n)),
        view_(plan.view),
        left_(plan.left),
        top_(plan.top),
        right_(plan.right),
        bottom_(plan.bottom),
        normalised_(1, a.mean, a.stddev) {}

  __device__ void look_up(int c, int y, int x, float (&values)[kPixels]) const {
    const std::uint8_t* plane = crop_ + c * a_.side * a_.side;
#pragma unroll
    for (int k = 0; k < kPixels; ++k) values[k] = seen_at(plane, a_.side, view_, x + k, y) * kByte;
  }

  __device__ void store_all(int c, int y, int x, float (&values)[kPixels]) const {
    const bool rows = y >= top_ && y < bottom_;
#pragma unroll
    for (int k = 0; k < kPixels; ++k) {
      const bool cut = rows && x + k >= left_ && x + k < right_;
      values[k] = normalised_(cut ? kCutOut : values[k]);
    }
    if constexpr (kPixels == kQuad)
      store_quad(to_.out, n_, c, y, x, values);
    else
      store(to_.out, index_in(to_.out, n_, c, y, x), values[0]);
  }

 private:
  const Augment& a_;
  const Augment::View& to_;
  const std::size_t n_;
  const std::uint8_t* const crop_;
  const Affine view_;
  const int left_, top_, right_, bottom_;
  const Normaliser normalised_;
};

__host__ __device__ const Augment::View& view_of(const Augment& a, int stream) {
  return stream == 0 ? a.weak : a.strong;
}

__device__ bool looks_around(const AugmentParams& plan) {
  for (int i = 0; i < plan.photometric_count; ++i)
    if (looks_around(plan.photometric_ops[i].operation)) return true;
  return false;
}

__global__ void __launch_bounds__(kDrawThreads) draw_views(Augment a, Drawn drawn) {
  const int i = static_cast<int>(blockIdx.x * kDrawThreads + threadIdx.x);
  if (i >= 2 * a.count) return;
  const int stream = i / a.count, n = i - stream * a.count;
  if (!view_of(a, stream).out.data) return;
  PhiloxRandom random = random_of(a, stream, n);
  AugmentParams& plan = drawn.plans[i];
  plan = draw_view(view_of(a, stream).config, a.channels, a.side, random);
  if (looks_around(plan)) drawn.around[stream * a.count + atomicAdd(&drawn.counts[stream], 1)] = n;
}

/// The views that do not look around, a block each.
template <int kPixels>
__global__ void __launch_bounds__(kViewThreads) show_views(Augment a, int stream, Drawn drawn) {
  for (int n = static_cast<int>(blockIdx.x); n < a.count; n += static_cast<int>(gridDim.x)) {
    const AugmentParams& plan = drawn.plans[stream * a.count + n];
    if (looks_around(plan)) continue;
    const Shown<kPixels> shown(a, view_of(a, stream), n, plan);
    for_each_place<kPixels>(a.channels, a.side, [&](int c, int y, int x) {
      float values[kPixels];
      shown.look_up(c, y, x, values);
      for (int i = 0; i < plan.photometric_count; ++i) {
#pragma unroll
        for (int k = 0; k < kPixels; ++k)
          values[k] = apply_photometric(plan.photometric_ops[i], {}, values[k]);
      }
      shown.store_all(c, y, x, values);
    });
  }
}

/// The others.
template <int kPixels>
__global__ void __launch_bounds__(kViewThreads) show_around(Augment a, int stream, Drawn drawn) {
  extern __shared__ float shared[];
  __shared__ Block b;
  const int size = a.side * a.side, count = drawn.counts[stream];
  float* planes =
      drawn.planes ? drawn.planes + blockIdx.x * view_floats(a.channels, a.side) : shared;
  for (int i = static_cast<int>(blockIdx.x); i < count; i += static_cast<int>(gridDim.x)) {
    const int n = drawn.around[stream * a.count + i];
    const AugmentParams& plan = drawn.plans[stream * a.count + n];
    const Shown<kPixels> shown(a, view_of(a, stream), n, plan);
    const auto pixels = [&](int c, int y, int x) { return planes + c * size + y * a.side + x; };
    for_each_place<kPixels>(a.channels, a.side, [&](int c, int y, int x) {
      float values[kPixels];
      shown.look_up(c, y, x, values);
#pragma unroll
      for (int k = 0; k < kPixels; ++k) pixels(c, y, x)[k] = values[k];
    });
    __syncthreads();
    for (int step = 0; step < plan.photometric_count; ++step)
      apply_photometric_op(planes, planes + a.channels * size, a.channels, a.side,
                           plan.photometric_ops[step], b);
    for_each_place<kPixels>(a.channels, a.side, [&](int c, int y, int x) {
      float values[kPixels];
#pragma unroll
      for (int k = 0; k < kPixels; ++k) values[k] = pixels(c, y, x)[k];
      shown.store_all(c, y, x, values);
    });
    __syncthreads();  // Before the next view takes the place of this one.
  }
}

/// How the current device makes views of this shape.
struct Launch {
  std::size_t shared = 0;  ///< Bytes; 0 where the pixels do not fit.
  int max_shared = 0;      ///< Bytes that there are, whatever the shape.
  int blocks = 1;          ///< Of those that look around, at most.
};

Launch launch_for(const Augment& a) {
  int device = 0, max = 0, processors = 1;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&max, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  max -= static_cast<int>(sizeof(Block)) + 1024;
  const std::size_t bytes = view_floats(a.channels, a.side) * sizeof(float);
  if (max < 0 || bytes > static_cast<std::size_t>(max)) return {0, 0, 4 * processors};
  return {bytes, max, 16 * processors};
}

/// Where everything lies in the workspace, and how long that is, in bytes.
struct Room {
  std::size_t plans, around, counts, planes, end;
};

Room room_for(const Augment& a, const Launch& launch) {
  std::size_t end = 0;
  const auto take = [&](std::size_t bytes) {
    const std::size_t begin = end;
    end += (bytes + 255) / 256 * 256;
    return begin;
  };
  const std::size_t views = 2 * static_cast<std::size_t>(a.count);
  const auto blocks = static_cast<std::size_t>(launch.shared == 0 ? launch.blocks : 0);
  Room room;
  room.plans = take(views * sizeof(AugmentParams));
  room.around = take(views * sizeof(int));
  room.counts = take(2 * sizeof(int));
  room.planes = take(view_floats(a.channels, a.side) * sizeof(float) * blocks);
  room.end = end;
  return room;
}

template <int kPixels>
void launch_views(const Augment& a, const Launch& launch, const Drawn& drawn, Stream stream) {
  if (launch.shared > 0) {
    // The kernel's, not this launch's: the same for all, as other threads may show other shapes.
    cudaFuncSetAttribute(show_around<kPixels>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         launch.max_shared);
  }
  for (const int kind : {0, 1}) {
    const Augment::View& view = view_of(a, kind);
    if (!view.out.data) continue;
    show_views<kPixels><<<a.count, kViewThreads, 0, stream>>>(a, kind, drawn);
    if (view.config.operations == 0) continue;
    show_around<kPixels>
        <<<std::min(a.count, launch.blocks), kViewThreads, launch.shared, stream>>>(a, kind, drawn);
  }
}

}  // namespace

std::size_t augment_workspace(const Augment& a) {
  return room_for(a, launch_for(a)).end;
}

const char* augment_on(const Augment& a, Stream stream) {
  if (a.count == 0) return nullptr;
  if (!a.workspace) return "augment: expected a workspace";
  const Launch launch = launch_for(a);
  const Room room = room_for(a, launch);
  char* base = static_cast<char*>(a.workspace);
  Drawn drawn{reinterpret_cast<AugmentParams*>(base + room.plans),
              reinterpret_cast<int*>(base + room.around),
              reinterpret_cast<int*>(base + room.counts),
              launch.shared == 0 ? reinterpret_cast<float*>(base + room.planes) : nullptr};
  cudaMemsetAsync(drawn.counts, 0, 2 * sizeof(int), stream);
  draw_views<<<(2 * a.count + kDrawThreads - 1) / kDrawThreads, kDrawThreads, 0, stream>>>(a,
                                                                                           drawn);
  if (a.side % kQuad == 0)
    launch_views<kQuad>(a, launch, drawn, stream);
  else
    launch_views<1>(a, launch, drawn, stream);
  return launch_error();
}

}  // namespace fer::kernels
