#include "cuda/device_frames.h"

#include <cstring>
#include <stdexcept>
#include <string>

namespace fer::kernels {
namespace {

void must(const char* error) {
  if (error) throw std::runtime_error(std::string("the CUDA device refuses: ") + error);
}

/// Whether it is the whole frame, shrunk and not turned, which has a kernel of its own.
bool shrinks_whole(const CropPlan& plan, const FrameView& frame,
                   const FrameMemory::Picture& picture) {
  return plan.x == 0 && plan.y == 0 && plan.width == frame.width && plan.height == frame.height &&
         plan.columns == picture.width && plan.rows == picture.height &&
         picture.width <= frame.width && picture.height <= frame.height &&
         plan.to_crop == Affine23{1, 0, 0, 0, 1, 0};
}

/// Appends what will lie on the device, where values begin at multiples of 16. Returns its offset.
template <typename Value>
std::size_t append(std::vector<std::uint8_t>& bytes, const Value* values, std::size_t count) {
  const std::size_t begin = (bytes.size() + 15) / 16 * 16;
  bytes.resize(begin + count * sizeof(Value));
  std::memcpy(bytes.data() + begin, values, count * sizeof(Value));
  return begin;
}

}  // namespace

DeviceBytes::~DeviceBytes() {
  if (data_) kernels_.release(data_);
}

void* DeviceBytes::need(std::size_t bytes) {
  if (bytes <= size_) return data_;
  if (data_) kernels_.release(data_);
  data_ = nullptr;
  size_ = 0;
  must(kernels_.allocate(&data_, bytes));
  size_ = bytes;
  return data_;
}

DeviceFrames::DeviceFrames(const KernelTable& kernels)
    : kernels_(kernels), device_arguments_(kernels), pictures_(kernels) {}

const std::uint8_t* DeviceFrames::upload_arguments() {
  auto* there = static_cast<std::uint8_t*>(device_arguments_.need(arguments_.size()));
  must(kernels_.upload(there, arguments_.data(), arguments_.size(), stream_));
  return there;
}

void DeviceFrames::cut(const FrameView& frame, std::span<const CropPlan> plans,
                       const Picture& picture, std::uint8_t* out) {
  if (plans.empty()) return;
  const std::size_t bytes = plans.size() * static_cast<std::size_t>(picture.bytes());
  const Batch batch{pictures_.need(bytes), Batch::kUint8,  Batch::kNchw,
                    picture.channels,      picture.height, picture.width};
  FrameView view = frame;
  view.memory = nullptr;  // Of no use over there.
  arguments_.clear();
  if (plans.size() == 1 && picture.channels == 1 && shrinks_whole(plans[0], frame, picture)) {
    const ResizeLuma::Frame whole{planes_of(view), picture.width, picture.height};
    append(arguments_, &whole, 1);
    ResizeLuma resize;
    resize.frames = reinterpret_cast<const ResizeLuma::Frame*>(upload_arguments());
    resize.count = 1;
    resize.out = batch;
    check(resize);
    must(kernels_.resize_luma(resize, stream_));
  } else {
    const FramePlanes planes = planes_of(view);
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
    must(kernels_.warp_faces(warp, stream_));
  }
  must(kernels_.download(out, batch.data, bytes, stream_));
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
  must(kernels_.blend_shapes(blend, stream_));
  must(kernels_.wait(stream_));
}

}  // namespace fer::kernels
