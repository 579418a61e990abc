// In builds without CUDA or GStreamer's library for it no caps name its memory.
#include "cuda-frames.h"

namespace fer {

bool answer_context_query(GstElement*, GstQuery*) {
  return false;
}

struct CudaFrames::State {};

CudaFrames::CudaFrames() = default;
CudaFrames::~CudaFrames() = default;
CudaFrames::CudaFrames(CudaFrames&&) noexcept = default;
CudaFrames& CudaFrames::operator=(CudaFrames&&) noexcept = default;

FrameMemory* CudaFrames::reader(GstElement*, GstBuffer*) {
  return nullptr;
}

void CudaFrames::blend(const kernels::BlendShapes&, std::size_t) {}

}  // namespace fer
