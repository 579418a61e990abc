#include "network/norm_rows.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "util/bfloat16.h"

// Compiled for several processors, chosen when the program starts. The sanitizers' runtime is not
// there yet by then.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FER_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FER_CLONES
#endif
#define FER_INLINE inline __attribute__((always_inline))

namespace fer {
namespace {

using Bf16 = std::uint16_t;

/// Rows that are added up in fp32 before they go into doubles.
constexpr std::int64_t kRun = 256;

FER_INLINE float get(float value) {
  return value;
}
FER_INLINE float get(Bf16 value) {
  return bfloat16_value(value);
}
template <typename T>
FER_INLINE T put(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    return bfloat16_bits(value);
  }
}

/// Adds up a(row, channel) and b(row, channel), which pair() gives, channel by channel.
template <typename Pair>
FER_INLINE void sum_pairs(NormRows rows, double* first, double* second, const Pair& pair) {
  const auto channels = static_cast<std::size_t>(rows.channels);
  std::vector<float> sums(2 * channels);
  float *a = sums.data(), *b = a + channels;
  for (std::int64_t from = rows.begin; from < rows.end; from += kRun) {
    std::fill(sums.begin(), sums.end(), 0.f);
    const std::int64_t to = std::min(rows.end, from + kRun);
    for (std::int64_t row = from; row < to; ++row) pair(row * rows.channels, a, b);
    for (std::size_t c = 0; c < channels; ++c) {
      first[c] += static_cast<double>(a[c]);
      second[c] += static_cast<double>(b[c]);
    }
  }
}

template <typename T>
FER_INLINE void sum_moments_of(const T* __restrict x, const float* __restrict pivot, NormRows rows,
                               double* sums, double* squares) {
  sum_pairs(
      rows, sums, squares,
      [&](std::int64_t at, float* __restrict a, float* __restrict b)
          __attribute__((always_inline)) {
            for (std::int64_t c = 0; c < rows.channels; ++c) {
              const float value = get(x[at + c]) - pivot[c];
              a[c] += value;
              b[c] += value * value;
            }
          });
}

template <bool relu, bool adds, typename T>
FER_INLINE void scale_rows_of(const T* __restrict x, const float* __restrict scale,
                              const float* __restrict shift, const T* __restrict added,
                              NormRows rows, T* __restrict y) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const std::int64_t at = row * rows.channels;
    for (std::int64_t c = 0; c < rows.channels; ++c) {
      float value = get(x[at + c]) * scale[c] + shift[c];
      if constexpr (adds) value += get(added[at + c]);
      if constexpr (relu) value = value < 0 ? 0 : value;  // keeps what is no number
      y[at + c] = put<T>(value);
    }
  }
}

template <bool relu, typename T>
FER_INLINE float passed(const T* dy, const T* y, std::int64_t i) {
  const float gradient = get(dy[i]);  // read in any case, so that rows go through vector registers
  if constexpr (relu) return get(y[i]) <= 0 ? 0.f : gradient;
  return gradient;
}

template <bool relu, typename T>
FER_INLINE void sum_gradients_of(const T* __restrict dy, const T* __restrict y,
                                 const T* __restrict x, const float* __restrict mean, NormRows rows,
                                 double* of_shift, double* of_scale) {
  sum_pairs(
      rows, of_shift, of_scale,
      [&](std::int64_t at, float* __restrict a, float* __restrict b)
          __attribute__((always_inline)) {
            for (std::int64_t c = 0; c < rows.channels; ++c) {
              const float gradient = passed<relu>(dy, y, at + c);
              a[c] += gradient;
              b[c] += gradient * (get(x[at + c]) - mean[c]);
            }
          });
}

template <bool relu, bool adds, typename T>
FER_INLINE void spread_gradients_of(const T* __restrict dy, const T* __restrict y,
                                    const T* __restrict x, const float* __restrict a,
                                    const float* __restrict b, const float* __restrict c_,
                                    NormRows rows, T* __restrict dx, T* __restrict of_added) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const std::int64_t at = row * rows.channels;
    for (std::int64_t c = 0; c < rows.channels; ++c) {
      const float gradient = passed<relu>(dy, y, at + c);
      if constexpr (adds) of_added[at + c] = put<T>(gradient);
      dx[at + c] = put<T>(gradient * a[c] + get(x[at + c]) * b[c] + c_[c]);
    }
  }
}

}  // namespace

// Templates cannot be compiled for several processors; overloads of each type can.
#define FER_INSTANCES(T)                                                                           \
  FER_CLONES static void moments(const T* x, const float* pivot, NormRows rows, double* sums,      \
                                 double* squares) {                                                \
    sum_moments_of(x, pivot, rows, sums, squares);                                                 \
  }                                                                                                \
  FER_CLONES static void scaled(const T* x, const float* scale, const float* shift,                \
                                const T* added, bool relu, NormRows rows, T* y) {                  \
    if (relu && added != nullptr)                                                                  \
      scale_rows_of<true, true>(x, scale, shift, added, rows, y);                                  \
    else if (relu)                                                                                 \
      scale_rows_of<true, false>(x, scale, shift, added, rows, y);                                 \
    else if (added != nullptr)                                                                     \
      scale_rows_of<false, true>(x, scale, shift, added, rows, y);                                 \
    else                                                                                           \
      scale_rows_of<false, false>(x, scale, shift, added, rows, y);                                \
  }                                                                                                \
  FER_CLONES static void summed(const T* dy, const T* y, const T* x, const float* mean, bool relu, \
                                NormRows rows, double* of_shift, double* of_scale) {               \
    if (relu)                                                                                      \
      sum_gradients_of<true>(dy, y, x, mean, rows, of_shift, of_scale);                            \
    else                                                                                           \
      sum_gradients_of<false>(dy, y, x, mean, rows, of_shift, of_scale);                           \
  }                                                                                                \
  FER_CLONES static void spread(const T* dy, const T* y, const T* x, const float* a,               \
                                const float* b, const float* c, bool relu, NormRows rows, T* dx,   \
                                T* of_added) {                                                     \
    if (relu && of_added != nullptr)                                                               \
      spread_gradients_of<true, true>(dy, y, x, a, b, c, rows, dx, of_added);                      \
    else if (relu)                                                                                 \
      spread_gradients_of<true, false>(dy, y, x, a, b, c, rows, dx, of_added);                     \
    else if (of_added != nullptr)                                                                  \
      spread_gradients_of<false, true>(dy, y, x, a, b, c, rows, dx, of_added);                     \
    else                                                                                           \
      spread_gradients_of<false, false>(dy, y, x, a, b, c, rows, dx, of_added);                    \
  }
FER_INSTANCES(float)
FER_INSTANCES(Bf16)
#undef FER_INSTANCES

template <typename T>
void sum_moments(const T* x, const float* pivot, NormRows rows, double* sums, double* squares) {
  moments(x, pivot, rows, sums, squares);
}
template <typename T>
void scale_rows(const T* x, const float* scale, const float* shift, const T* added, bool relu,
                NormRows rows, T* y) {
  scaled(x, scale, shift, added, relu, rows, y);
}
template <typename T>
void sum_gradients(const T* dy, const T* y, const T* x, const float* mean, bool relu, NormRows rows,
                   double* of_shift, double* of_scale) {
  summed(dy, y, x, mean, relu, rows, of_shift, of_scale);
}
template <typename T>
void spread_gradients(const T* dy, const T* y, const T* x, const float* a, const float* b,
                      const float* c, bool relu, NormRows rows, T* dx, T* of_added) {
  spread(dy, y, x, a, b, c, relu, rows, dx, of_added);
}

template void sum_moments(const float*, const float*, NormRows, double*, double*);
template void sum_moments(const Bf16*, const float*, NormRows, double*, double*);
template void scale_rows(const float*, const float*, const float*, const float*, bool, NormRows,
                         float*);
template void scale_rows(const Bf16*, const float*, const float*, const Bf16*, bool, NormRows,
                         Bf16*);
template void sum_gradients(const float*, const float*, const float*, const float*, bool, NormRows,
                            double*, double*);
template void sum_gradients(const Bf16*, const Bf16*, const Bf16*, const float*, bool, NormRows,
                            double*, double*);
template void spread_gradients(const float*, const float*, const float*, const float*, const float*,
                               const float*, bool, NormRows, float*, float*);
template void spread_gradients(const Bf16*, const Bf16*, const Bf16*, const float*, const float*,
                               const float*, bool, NormRows, Bf16*, Bf16*);

}  // namespace fer
