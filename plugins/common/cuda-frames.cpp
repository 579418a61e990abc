#include "cuda-frames.h"

#include <dlfcn.h>
#include <gst/cuda/gstcudacontext.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "gst-owned.h"
#include "kernels/device_frames.h"
#include "kernels/driver_library.h"
#include "kernels/open_kernels.h"

#if GST_CHECK_VERSION(1, 24, 0)
#include <gst/cuda/gstcudastream.h>
#endif

namespace fer {
namespace {

/// Makes the context the thread's current one for as long as this lives.
class Current {
 public:
  explicit Current(GstCudaContext* context) {
    if (!gst_cuda_context_push(context))
      throw std::runtime_error("the CUDA device's context cannot be entered");
  }
  ~Current() { gst_cuda_context_pop(nullptr); }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;
};

const kernels::KernelTable& kernels_of(GstCudaContext* context) {
  guint device = 0;
  g_object_get(context, "cuda-device-id", &device, nullptr);
  return kernels::open_kernels(static_cast<int>(device));
}

/// The first device's primary context, kept for the life of the process; null without a driver.
GstCudaContext* primary_context() {
  static GstCudaContext* const context = []() -> GstCudaContext* {
    if (!gst_cuda_load_library() || CuInit(0) != CUDA_SUCCESS) return nullptr;
    // GStreamer's loader has no name for it.
    using Retain = CUresult (*)(CUcontext*, CUdevice);
    void* driver = kernels::driver_library();
    const auto retain =
        driver ? reinterpret_cast<Retain>(dlsym(driver, "cuDevicePrimaryCtxRetain")) : nullptr;
    CUdevice device = 0;
    CUcontext primary = nullptr;
    if (!retain || CuDeviceGet(&device, 0) != CUDA_SUCCESS ||
        retain(&primary, device) != CUDA_SUCCESS)
      return nullptr;
    GstCudaContext* wrapped = gst_cuda_context_new_wrapped(primary, device);
    if (wrapped) GST_OBJECT_FLAG_SET(wrapped, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    return wrapped;
  }();
  return context;
}

/// The stream that whoever made the frame used. GStreamer before 1.24 has none to tell and waits
/// before it hands a frame on; the thread's own serves then, so that cameras' frames are worked on
/// side by side.
kernels::Stream stream_of([[maybe_unused]] GstMemory* memory) {
#if GST_CHECK_VERSION(1, 24, 0)
  if (GstCudaStream* stream = gst_cuda_memory_get_stream(GST_CUDA_MEMORY_CAST(memory)))
    return gst_cuda_stream_get_handle(stream);
#endif
  return kernels::kThreadsOwnStream;
}

/// Reads the frames of one context.
class Reader final : public FrameMemory {
 public:
  explicit Reader(GstCudaContext* context)
      : context_(static_cast<GstCudaContext*>(gst_object_ref(context))),
        frames_(kernels_of(context)) {}
  ~Reader() override {
    // What it holds on the device is given back in its context, or goes with it.
    if (gst_cuda_context_push(context_.get())) {
      frames_.reset();
      gst_cuda_context_pop(nullptr);
    }
  }

  bool of(GstCudaContext* context) const { return context_.get() == context; }
  void use(kernels::Stream stream) { frames_->use(stream); }

  void cut(const FrameView& frame, std::span<const CropPlan> plans, const Picture& picture,
           std::uint8_t* out) override {
    guarded([&] { frames_->cut(frame, plans, picture, out); });
  }

  bool find_cells(const FrameView& frame, int width, int height,
                  const std::shared_ptr<const GridLayers>& layers, float min_score,
                  std::vector<GridCandidate>& faces) override {
    bool done = false;
    guarded([&] { done = frames_->find_cells(frame, width, height, layers, min_score, faces); });
    return done;
  }

  void blend(const kernels::BlendShapes& shapes, std::size_t coverage_bytes) {
    guarded([&] { frames_->blend(shapes, coverage_bytes); });
  }
  /// Why the device did not do what it should; empty where it did.
  const std::string& failure() const { return failure_; }

 private:
  template <typename Work>
  void guarded(Work&& work) {
    try {
      const Current current(context_.get());
      work();
    } catch (const std::exception& error) {
      failure_ = error.what();
      throw;
    }
  }

  const Owned<GstCudaContext> context_;
  std::optional<kernels::DeviceFrames> frames_;
  std::string failure_;
};

}  // namespace

bool answer_context_query(GstElement* element, GstQuery* query) {
  const gchar* type = nullptr;
  gst_query_parse_context_type(query, &type);
  if (g_strcmp0(type, GST_CUDA_CONTEXT_TYPE) != 0) return false;
  GstCudaContext* context = primary_context();
  return context && gst_cuda_handle_context_query(element, query, context);
}

struct CudaFrames::State {
  std::unique_ptr<Reader> reader;
  bool refused = false;  ///< The kernels do not run there; told once.
};

CudaFrames::CudaFrames() : state_(std::make_unique<State>()) {}
CudaFrames::~CudaFrames() = default;
CudaFrames::CudaFrames(CudaFrames&&) noexcept = default;
CudaFrames& CudaFrames::operator=(CudaFrames&&) noexcept = default;

FrameMemory* CudaFrames::reader(GstElement* element, GstBuffer* buffer) {
  GstMemory* memory = gst_buffer_n_memory(buffer) > 0 ? gst_buffer_peek_memory(buffer, 0) : nullptr;
  if (!memory || !gst_is_cuda_memory(memory) || state_->refused) return nullptr;
  const auto refuse = [&](const std::string& reason) {
    state_->refused = true;
    state_->reader.reset();
    GST_ELEMENT_WARNING(element, LIBRARY, FAILED,
                        ("Frames are downloaded from the device, one by one: %s.", reason.c_str()),
                        (nullptr));
  };
  if (state_->reader && !state_->reader->failure().empty()) {
    refuse(std::string(state_->reader->failure()));
    return nullptr;
  }
  GstCudaContext* context = GST_CUDA_MEMORY_CAST(memory)->context;
  if (!state_->reader || !state_->reader->of(context)) {
    try {
      state_->reader = std::make_unique<Reader>(context);
    } catch (const std::runtime_error& error) {
      refuse(error.what());
      return nullptr;
    }
  }
  state_->reader->use(stream_of(memory));
  return state_->reader.get();
}

void CudaFrames::blend(const kernels::BlendShapes& shapes, std::size_t coverage_bytes) {
  state_->reader->blend(shapes, coverage_bytes);
}

}  // namespace fer
