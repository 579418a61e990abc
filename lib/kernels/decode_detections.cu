// The device form of decode_detections(): a block a frame, from the threshold to the last face.
#include <cstdint>

#include "kernels/decode_detections.h"
#include "kernels/launch.cuh"
#include "kernels/launches.h"

namespace fer::kernels {
namespace {

constexpr int kWide = 1024;  ///< Threads of a block.
constexpr int kEach = kMaxGuesses / kWide;
static_assert(kFaceCandidates >= kMaxGuesses, "the CPU looks at no fewer guesses");

/// A key that sorts by score, best first, and among equals by cell. Scores are positive, so that
/// their bits are in their order.
__device__ std::uint64_t key_of(float score, int cell) {
  return static_cast<std::uint64_t>(~__float_as_uint(score)) << 32 |
         static_cast<std::uint32_t>(cell);
}

/// Sorts `count` keys, a power of two of them, upwards: bitonic, all threads of the block.
__device__ void sort_keys(std::uint64_t* keys, int count) {
  for (int size = 2; size <= count; size *= 2) {
    for (int step = size / 2; step > 0; step /= 2) {
      __syncthreads();
      for (int i = static_cast<int>(threadIdx.x); i < count; i += kWide) {
        const int other = i ^ step;
        if (other <= i) continue;
        const bool upwards = (i & size) == 0;
        if ((keys[i] > keys[other]) != upwards) continue;
        const std::uint64_t kept = keys[i];
        keys[i] = keys[other];
        keys[other] = kept;
      }
    }
  }
  __syncthreads();
}

/// How many threads of the block before this one hold true, and how many do in all.
struct Place {
  int before, all;
};
__device__ Place place_of(bool holds) {
  __shared__ int of_warp[kWide / 32];
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const unsigned votes = __ballot_sync(~0u, holds);
  if (lane == 0) of_warp[warp] = __popc(votes);
  __syncthreads();
  Place place{__popc(votes & ((1u << lane) - 1)), 0};
  for (unsigned w = 0; w < kWide / 32; ++w) {
    if (w < warp) place.before += of_warp[w];
    place.all += of_warp[w];
  }
  __syncthreads();
  return place;
}

__global__ void __launch_bounds__(kWide) decode(DecodeDetections d, float min_logit, int cells) {
  __shared__ std::uint64_t keys[kMaxGuesses];
  __shared__ GridCandidate best;
  __shared__ bool taken;
  const int frame = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);

  int passed = 0;
  for (int first = 0; first < cells; first += kWide) {
    const int number = first + thread;
    bool guess = false;
    float score = 0;
    if (number < cells) {
      const Cell cell = cell_at(d, frame, number);
      guess = passes(d, cell, min_logit);
      if (guess) score = face_at(d, cell).score;
    }
    const Place place = place_of(guess);
    if (guess && passed + place.before < kMaxGuesses)
      keys[passed + place.before] = key_of(score, number);
    passed += place.all;
  }
  const int count = min(passed, kMaxGuesses);
  int room = 1;
  while (room < count) room *= 2;
  for (int i = count + thread; i < room; i += kWide) keys[i] = ~std::uint64_t{0};
  sort_keys(keys, room);

  // Each thread keeps its guesses, and strikes those that a better one overlaps.
  GridCandidate mine[kEach];
  bool alive[kEach];
  for (int k = 0; k < kEach; ++k) {
    const int i = thread + k * kWide;
    alive[k] = i < count;
    if (alive[k]) mine[k] = face_at(d, cell_at(d, frame, static_cast<int>(keys[i] & 0xffffffffu)));
  }
  int faces = 0;
  for (int i = 0; i < count && faces < d.max_faces; ++i) {
    if (thread == i % kWide) {
      for (int k = 0; k < kEach; ++k) {
        if (k != i / kWide) continue;
        taken = alive[k];
        if (taken) best = mine[k];
      }
    }
    __syncthreads();
    if (taken) {
      if (thread == 0) d.faces[static_cast<std::ptrdiff_t>(frame) * d.max_faces + faces] = best;
      ++faces;
      for (int k = 0; k < kEach; ++k) {
        if (alive[k] && thread + k * kWide > i && box_iou(mine[k], best) > kSameFace)
          alive[k] = false;
      }
    }
    __syncthreads();
  }
  if (thread == 0) {
    d.face_counts[frame] = faces;
    d.guess_counts[frame] = passed;
  }
}

}  // namespace

const char* decode_detections_on(const DecodeDetections& d, Stream stream) {
  if (d.count == 0) return nullptr;
  int cells = 0;
  for (int level = 0; level < static_cast<int>(kCellStrides.size()); ++level)
    cells += cells_of(d, level);
  decode<<<d.count, kWide, 0, stream>>>(d, min_logit_of(d.min_score), cells);
  return launch_error();
}

}  // namespace fer::kernels
