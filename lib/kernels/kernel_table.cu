// The one symbol of libfer-cuda.
#include "kernels/kernel_table.h"

#include <cuda_runtime.h>

#include "kernels/launches.h"

namespace fer::kernels {
namespace {

__global__ void nothing() {}

const char* words(cudaError_t error) {
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

const char* count_devices(int* count) {
  *count = 0;
  return words(cudaGetDeviceCount(count));
}

const char* check_device(int device) {
  int before = 0;
  cudaError_t error = cudaGetDevice(&before);
  if (error == cudaSuccess) error = cudaSetDevice(device);
  cudaFuncAttributes attributes;
  if (error == cudaSuccess) error = cudaFuncGetAttributes(&attributes, nothing);
  cudaSetDevice(before);
  cudaGetLastError();  // What was said here must not be taken for a later launch's.
  return words(error);
}

const char* use_device(int device) {
  return words(cudaSetDevice(device));
}

const char* allocate(void** memory, std::size_t bytes) {
  return words(cudaMalloc(memory, bytes));
}

const char* release(void* memory) {
  return words(cudaFree(memory));
}

const char* upload(void* to, const void* from, std::size_t bytes, Stream stream) {
  // From memory that is not pinned it returns once that has been read.
  return words(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream));
}

const char* download(void* to, const void* from, std::size_t bytes, Stream stream) {
  const char* error = words(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream));
  return error ? error : words(cudaStreamSynchronize(stream));
}

const char* wait(Stream stream) {
  return words(cudaStreamSynchronize(stream));
}

}  // namespace
}  // namespace fer::kernels

extern "C" __attribute__((visibility("default"))) const fer::kernels::KernelTable*
fer_cuda_kernels() {
  using namespace fer::kernels;
  static const KernelTable table{
      .version = kKernelTableVersion,
      .toolkit = CUDART_VERSION,
      .architectures = FER_CUDA_ARCHS,
      .count_devices = count_devices,
      .check_device = check_device,
      .use_device = use_device,
      .allocate = allocate,
      .release = release,
      .upload = upload,
      .download = download,
      .wait = wait,
      .augment_workspace = augment_workspace,
      .augment = augment_on,
      .pseudo_label_workspace = pseudo_label_workspace,
      .pseudo_label_step = pseudo_label_step_on,
      .warp_faces = warp_faces_on,
      .resize_luma = resize_luma_on,
      .run_layer = run_layer_on,
      .decode_detections = decode_detections_on,
      .blend_shapes = blend_shapes_on,
  };
  return &table;
}
