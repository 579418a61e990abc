// The arithmetic of batch norm, an added shortcut and ReLU over feature maps, on the processor.
#pragma once

#include <cstdint>

namespace fer {

/// Feature maps as rows: one a position of each face, its channels side by side (channels last).
/// Values are float, or std::uint16_t for the bits of bfloat16.
struct NormRows {
  std::int64_t begin = 0, end = 0;  ///< Of the rows to look at.
  std::int64_t channels = 0;
};

/// Adds to `sums` and `squares`, one a channel, those of x − pivot: a pivot near the mean keeps
/// small variances from drowning.
template <typename T>
void sum_moments(const T* x, const float* pivot, NormRows rows, double* sums, double* squares);

/// y = x · scale + shift, plus `added` where it is not null, and not below zero with `relu`.
template <typename T>
void scale_rows(const T* x, const float* scale, const float* shift, const T* added, bool relu,
                NormRows rows, T* y);

/// Adds to `of_shift` and `of_scale` the sums of the gradient dy, where y > 0 or `relu` is false,
/// and of that times x − mean.
template <typename T>
void sum_gradients(const T* dy, const T* y, const T* x, const float* mean, bool relu, NormRows rows,
                   double* of_shift, double* of_scale);

/// dx = dy · a + x · b + c, with dy as there, which `of_added` is given where it is not null.
template <typename T>
void spread_gradients(const T* dy, const T* y, const T* x, const float* a, const float* b,
                      const float* c, bool relu, NormRows rows, T* dx, T* of_added);

}  // namespace fer
