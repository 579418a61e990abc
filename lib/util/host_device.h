// Marks functions that run on the processor and on a CUDA device: what a kernel computes for one
// element is written once, and tested where there is no device.
#pragma once

#ifdef __CUDACC__
#define FER_HOST_DEVICE __host__ __device__
#else
#define FER_HOST_DEVICE
#endif

/// Before a loop whose body is large and rarely run: device code of it unrolled takes minutes to
/// compile.
#ifdef __CUDA_ARCH__
#define FER_KEEP_LOOP _Pragma("unroll 1")
/// Before a loop of loads that need not wait for each other.
#define FER_EIGHT_AT_ONCE _Pragma("unroll 8")
#else
#define FER_KEEP_LOOP
#define FER_EIGHT_AT_ONCE
#endif
