// The device form of pseudo_label_step(): one launch that looks at all rows and moves the state in
// its last block, and one that labels the rows. The host waits for neither.
#include <cstddef>

#include "kernels/launch.cuh"
#include "kernels/launches.h"
#include "kernels/pseudo_label_rules.h"

namespace fer::kernels {
namespace {

constexpr int kMaxBlocks = 1024;

struct Workspace {
  StepSums sums;
  unsigned looked, applied;  ///< Blocks that are through.
  int keep;                  ///< fullmatch's k.
  /// Kept by block and added in their order, so that two runs give the same losses.
  double u[kMaxBlocks], n[kMaxBlocks];
};

template <int Classes>
__device__ void probabilities(const PseudoLabelStep& s, const float* row, float* q) {
  if (s.teacher_is_probabilities) {
    for (int k = 0; k < count_of<Classes>(s.classes); ++k) q[k] = row[k];
  } else {
    softmax_row<Classes>(row, s.classes, q);
  }
}

/// Adds a value of every lane of a warp to one sum.
__device__ void add_of_warp(unsigned long long* sum, unsigned long long value) {
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0 && value != 0) atomicAdd(sum, value);
}

/// What a policy's observe() adds to, by all lanes of a warp at the same place. Lanes past the last
/// row add zeros.
struct AddOfWarp {
  StepSums& sums;
  const bool inside;

  __device__ void add_class(int k, float value) { add_of_warp(&sums.by_class[k], to_units(value)); }
  /// By some lanes of a warp.
  __device__ void count(int k) {
    if (inside) atomicAdd(&sums.counts[k], 1ull);
  }
  __device__ void add_confidence(float value) { add_of_warp(&sums.confidence, to_units(value)); }
  __device__ void add_square(float value) { add_of_warp(&sums.squares, to_units(value)); }
};

template <int Classes>
__device__ void look_at_row(const PseudoLabelStep& s, bool inside, int i, StepSums& sums) {
  // Lanes past the last row go along and add nothing: a warp adds as a whole.
  float q[kRoom<Classes>];
  for (int k = 0; k < kRoom<Classes>; ++k) q[k] = 0;
  int label = 0;
  const auto at = static_cast<std::ptrdiff_t>(i) * s.classes;
  if (inside) {
    probabilities<Classes>(s, s.teacher + at, q);
    label = likeliest<Classes>(q, s.classes);
    s.pseudo_labels[i] = label;
    s.confidence[i] = q[label];
  }
  const float confidence = q[label];
  AddOfWarp add{sums, inside};
  observe(s.thresholds, {q, count_of<Classes>(s.classes), label, confidence}, add);
  if (inside && needs_agreement(s.negatives))
    atomicMax(&sums.likelier, likelier_classes<Classes>(s.student + at, s.classes, label));
}

template <int Classes>
__global__ void look(PseudoLabelStep s, Workspace* work) {
  __shared__ StepSums sums;
  for (int k = threadIdx.x; k < kMaxClasses; k += kThreads) sums.by_class[k] = sums.counts[k] = 0;
  if (threadIdx.x == 0) {
    sums.confidence = sums.squares = 0;
    sums.likelier = 0;
  }
  __syncthreads();

  const int stride = gridDim.x * kThreads;
  const int first = blockIdx.x * kThreads + threadIdx.x;
  // Whole warps, so that none of their lanes leaves early.
  for (int i = first; i - static_cast<int>(threadIdx.x % 32) < s.rows; i += stride)
    look_at_row<Classes>(s, i < s.rows, i, sums);
  if (reads_labelled(s.thresholds)) {
    for (int i = first; i < s.labelled_rows; i += stride) {
      float q[kRoom<Classes>];
      probabilities<Classes>(s, s.labelled + static_cast<std::ptrdiff_t>(i) * s.classes, q);
      const int label = likeliest<Classes>(q, s.classes);
      if (label != s.labels[i]) continue;
      atomicAdd(&sums.counts[label], 1ull);
      atomicAdd(&sums.by_class[label], to_units(q[label]));
    }
  }
  __syncthreads();

  for (int k = threadIdx.x; k < s.classes; k += kThreads) {
    if (sums.counts[k] != 0) atomicAdd(&work->sums.counts[k], sums.counts[k]);
    if (sums.by_class[k] != 0) atomicAdd(&work->sums.by_class[k], sums.by_class[k]);
  }
  if (threadIdx.x == 0) {
    atomicAdd(&work->sums.confidence, sums.confidence);
    atomicAdd(&work->sums.squares, sums.squares);
    atomicMax(&work->sums.likelier, sums.likelier);
  }
  if (!last_block(&work->looked) || threadIdx.x != 0) return;
  move_state(s.thresholds, work->sums, place_of(s), *s.state);
  work->keep = FullMatch::keep(work->sums.likelier);
}

template <int Classes>
__global__ void apply(PseudoLabelStep s, float scale_u, float scale_n, Workspace* work) {
  const int n = count_of<Classes>(s.classes);
  double u = 0, negative = 0;
  for (int i = blockIdx.x * kThreads + threadIdx.x; i < s.rows; i += gridDim.x * kThreads) {
    const auto at = static_cast<std::ptrdiff_t>(i) * s.classes;
    float q[kRoom<Classes>], gradient[kRoom<Classes>];
    probabilities<Classes>(s, s.teacher + at, q);
    const int label = static_cast<int>(s.pseudo_labels[i]);
    const float weight = weight_of(s.thresholds, *s.state, s.confidence[i], label);
    s.weights[i] = weight;
    const StudentRow<Classes> student(s.student + at, s.classes);
    const std::uint64_t chosen =
        negatives_of(s.negatives, {q, student.p, n, work->keep}, label, weight >= 0.5f);
    if (s.chosen) {
      for (int k = 0; k < n; ++k) s.chosen[at + k] = static_cast<std::uint8_t>(chosen >> k & 1);
    }
    const RowLoss loss = row_loss<Classes>(student, s.student + at, s.classes, label, weight,
                                           chosen, scale_u, scale_n, gradient);
    for (int k = 0; k < n; ++k) s.gradient[at + k] = gradient[k];
    u += loss.u;
    negative += loss.n;
  }
  __shared__ double of_warp[2][kThreads / 32];
  u = warp_sum(u);
  negative = warp_sum(negative);
  if (threadIdx.x % 32 == 0) {
    of_warp[0][threadIdx.x / 32] = u;
    of_warp[1][threadIdx.x / 32] = negative;
  }
  __syncthreads();
  if (threadIdx.x < 2) {
    double sum = 0;
    for (const double part : of_warp[threadIdx.x]) sum += part;
    (threadIdx.x == 0 ? work->u : work->n)[blockIdx.x] = sum;
  }
  if (!last_block(&work->applied) || threadIdx.x >= 2) return;
  const double* parts = threadIdx.x == 0 ? work->u : work->n;
  double sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += __ldcg(&parts[b]);  // Not from an old line.
  s.losses[threadIdx.x] = static_cast<float>(s.rows > 0 ? sum / s.rows : 0);
}

}  // namespace

std::size_t pseudo_label_workspace() {
  return sizeof(Workspace);
}

const char* pseudo_label_step_on(const PseudoLabelStep& s, Stream stream) {
  auto* work = static_cast<Workspace*>(s.workspace);
  if (!work) return "pseudo_label_step: expected a workspace";
  cudaMemsetAsync(work, 0, offsetof(Workspace, u), stream);
  const float rows = static_cast<float>(std::max(1, s.rows));
  with_classes(s.classes, [&](auto classes) {
    constexpr int kClasses = decltype(classes)::value;
    look<kClasses>
        <<<blocks_for(std::max(s.rows, s.labelled_rows), kMaxBlocks), kThreads, 0, stream>>>(s,
                                                                                             work);
    apply<kClasses><<<blocks_for(s.rows, kMaxBlocks), kThreads, 0, stream>>>(
        s, static_cast<float>(s.lambda_u / rows), static_cast<float>(s.lambda_n / rows), work);
  });
  return launch_error();
}

}  // namespace fer::kernels
