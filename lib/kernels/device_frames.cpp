#include "kernels/device_frames.h"

#include <cstring>

namespace fer::kernels {
namespace {

/// Whether it is the whole frame, shrunk and not turned, which has a kernel of its own.
bool shrinks_whole(const CropPlan& plan, const FrameView& frame,
                   const FrameMemory::Picture& picture) {
  return plan.x == 0 && plan.y == 0 && plan.width == frame.width && plan.height == frame.height &&
         plan.columns == picture.width && plan.rows == picture.height &&
         picture.width <= frame.width && picture.height <= frame.height &&
         plan.to_crop == Affine2x3{1, 0, 0, 0, 1, 0};
}

/// Appends what will lie on the device, where values begin at multiples of 16. Returns its offset.
template <typename Value>
std::size_t append(std::vector<std::uint8_t>& bytes, const Value* values, std::size_t count) {
  const std::size_t begin = (bytes.size() + 15) / 16 * 16;
  bytes.resize(begin + count * sizeof(Value));
  std::memcpy(bytes.data() + begin, values, count * sizeof(Value));
  return begin;
}

FramePlanes planes_there(FrameView frame) {
  frame.memory = nullptr;  // Of no use over there.
  return planes_of(frame);
}

}  // namespace

DeviceFrames::DeviceFrames(const KernelTable& kernels)
    : kernels_(kernels), device_arguments_(kernels), pictures_(kernels) {}

const std::uint8_t* DeviceFrames::upload_arguments() {
  auto* there = static_cast<std::uint8_t*>(device_arguments_.need(arguments_.size()));
  throw_on_cuda_error(kernels_.upload(there, arguments_.data(), arguments_.size(), stream_));
  return there;
}

void DeviceFrames::cut(const FrameView& frame, std::span<const CropPlan> plans,
                       const Picture& picture, std::uint8_t* out) {
  if (plans.empty()) return;
  const std::size_t bytes = plans.size() * static_cast<std::size_t>(picture.bytes());
  const Batch batch{pictures_.need(bytes), Batch::kUint8,  Batch::kNchw,
                    picture.channels,      picture.height, picture.width};
  if (plans.size() == 1 && picture.channels == 1 && shrinks_whole(plans[0], frame, picture)) {
    shrink(frame, picture.width, picture.height, batch);
  } else {
    const FramePlanes planes = planes_there(frame);
    arguments_.clear();
    append(arguments_, &planes, 1);
    std::vector<FaceWarp> warps;
    for (const CropPlan& plan : plans) warps.push_back(face_warp(0, plan));
    const std::size_t at = append(arguments_, warps.data(), warps.size());
    const std::uint8_t* there = upload_arguments();
    WarpFaces warp;
    warp.frames = reinterpret_cast<const FramePlanes*>(there);
    warp.frame_count = 1;
    warp.faces = reinterpret_cast<const FaceWarp*>(there + at);
    warp.count = static_cast<int>(warps.size());
    warp.out = batch;
    check(warp);
    throw_on_cuda_error(kernels_.warp_faces(warp, stream_));
  }
  throw_on_cuda_error(kernels_.download(out, batch.data, bytes, stream_));
}

void DeviceFrames::shrink(const FrameView& frame, int width, int height, const Batch& out) {
  const ResizeLuma::Frame whole{planes_there(frame), width, height};
  arguments_.clear();
  append(arguments_, &whole, 1);
  ResizeLuma resize;
  resize.frames = reinterpret_cast<const ResizeLuma::Frame*>(upload_arguments());
  resize.count = 1;
  resize.out = out;
  check(resize);
  throw_on_cuda_error(kernels_.resize_luma(resize, stream_));
}

bool DeviceFrames::find_cells(const FrameView& frame, int width, int height,
                              const std::shared_ptr<const GridLayers>& layers, float min_score,
                              std::vector<GridCandidate>& faces) {
  if (width > frame.width || height > frame.height) return false;
  if (!cells_ || cells_->layers() != layers) cells_.emplace(kernels_, layers, stream_);
  Batch input;
  input.height = padded_side(height, kLargestStride, kMinInputSide);
  input.width = padded_side(width, kLargestStride, kMinInputSide);
  input.data = cells_->input(input.height, input.width);
  shrink(frame, width, height, input);
  cells_->run(min_score, stream_, faces);
  return true;
}

void DeviceFrames::blend(BlendShapes blend, std::size_t coverage_bytes) {
  if (blend.count == 0) return;
  arguments_.clear();
  append(arguments_, blend.shapes, static_cast<std::size_t>(blend.count));
  const std::size_t at = append(arguments_, blend.coverage, coverage_bytes);
  const std::uint8_t* there = upload_arguments();
  blend.shapes = reinterpret_cast<const Shape*>(there);
  blend.coverage = there + at;
  check(blend);
  throw_on_cuda_error(kernels_.blend_shapes(blend, stream_));
  throw_on_cuda_error(kernels_.wait(stream_));
}

}  // namespace fer::kernels
