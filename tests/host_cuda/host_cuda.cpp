// A CUDA driver and libfer-cuda in one, for tests where there is no device: libcuda.so.1 as far as
// GStreamer's library for CUDA asks for it, on memory of the processor, and the kernels' CPU forms.
//
// What stands for the device's memory can be touched by neither side but within a call of the
// driver or a kernel: who reads a frame that lies there as if it were the processor's ends with
// SIGSEGV. As with the real one, most calls fail without a current context.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "host_cuda/host_cuda.h"
#include "kernels/kernel_table.h"

namespace {

constexpr int kSuccess = 0, kInvalidValue = 1, kOutOfMemory = 2, kInvalidContext = 201,
              kNotSupported = 801;
constexpr std::size_t kPitch = 512;

std::mutex mutex;
std::map<char*, std::size_t> device_memory;  ///< Guarded by mutex.
host_cuda::Counts counts;                    ///< Guarded by mutex.
std::atomic<bool> out_of_memory{false};
thread_local std::vector<void*> contexts;  ///< The last one is current.

void protect_all(int protection) {
  for (const auto& [start, size] : device_memory) mprotect(start, size, protection);
}

/// Opens the device's memory for as long as it lives.
class OnDevice {
 public:
  OnDevice() : lock_(mutex) { protect_all(PROT_READ | PROT_WRITE); }
  ~OnDevice() { protect_all(PROT_NONE); }

 private:
  const std::lock_guard<std::mutex> lock_;
};

int allocate(char** start, std::size_t bytes) {
  if (contexts.empty()) return kInvalidContext;
  if (bytes == 0) return kInvalidValue;
  if (out_of_memory) return kOutOfMemory;
  void* memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return kOutOfMemory;
  *start = static_cast<char*>(memory);
  const std::lock_guard lock(mutex);
  device_memory[*start] = bytes;
  return kSuccess;
}

int release(char* start) {
  if (contexts.empty()) return kInvalidContext;
  const std::lock_guard lock(mutex);
  const auto found = device_memory.find(start);
  if (found == device_memory.end()) return kInvalidValue;
  munmap(found->first, found->second);
  device_memory.erase(found);
  return kSuccess;
}

/// CUDA_MEMCPY2D of cuda.h.
struct Copy2D {
  struct Side {
    std::size_t x_bytes, y;
    int type;  ///< 1: the processor's memory, 2: the device's.
    char* host;
    std::uint64_t device;
    void* array;
    std::size_t pitch;

    char* row(std::size_t i) const {
      return (type == 1 ? host : reinterpret_cast<char*>(device)) + (y + i) * pitch + x_bytes;
    }
  };
  Side from, to;
  std::size_t width_bytes, height;
};
static_assert(sizeof(Copy2D) == 128, "CUDA_MEMCPY2D of cuda.h");

int copy_2d(const Copy2D& copy) {
  if (contexts.empty()) return kInvalidContext;
  if (copy.from.type > 2 || copy.to.type > 2) return kNotSupported;
  const OnDevice open;
  for (std::size_t i = 0; i < copy.height; ++i)
    std::memcpy(copy.to.row(i), copy.from.row(i), copy.width_bytes);
  if (copy.from.type == 2 && copy.to.type == 1) counts.downloaded += copy.width_bytes * copy.height;
  return kSuccess;
}

// --- The kernels.

using namespace fer::kernels;

const char* words(int error) {
  return error == kSuccess          ? nullptr
         : error == kInvalidContext ? "invalid device context"
         : error == kOutOfMemory    ? "out of memory"
                                    : "an error of the device of the tests";
}

template <typename Arguments, void (*form)(const Arguments&)>
const char* launch(const Arguments& arguments, Stream) {
  if (contexts.empty()) return words(kInvalidContext);
  const OnDevice open;
  ++counts.launches;
  form(arguments);
  return nullptr;
}

const KernelTable table{
    .version = kKernelTableVersion,
    .toolkit = 12000,
    .architectures = "the processor",
    .count_devices = [](int* count) -> const char* {
      *count = 1;
      return nullptr;
    },
    .check_device = [](int device) { return words(device == 0 ? kSuccess : kInvalidValue); },
    .use_device = [](int device) { return words(device == 0 ? kSuccess : kInvalidValue); },
    .allocate =
        [](void** memory, std::size_t bytes) {
          return words(allocate(reinterpret_cast<char**>(memory), bytes));
        },
    .release = [](void* memory) { return words(release(static_cast<char*>(memory))); },
    .upload = [](void* to, const void* from, std::size_t bytes, Stream) -> const char* {
      if (contexts.empty()) return words(kInvalidContext);
      const OnDevice open;
      std::memcpy(to, from, bytes);
      return nullptr;
    },
    .download = [](void* to, const void* from, std::size_t bytes, Stream) -> const char* {
      if (contexts.empty()) return words(kInvalidContext);
      const OnDevice open;
      std::memcpy(to, from, bytes);
      counts.downloaded += bytes;
      return nullptr;
    },
    .wait = [](Stream) { return words(contexts.empty() ? kInvalidContext : kSuccess); },
    .augment_workspace = [](const Augment&) -> std::size_t { return 0; },
    .augment = launch<Augment, augment>,
    .pseudo_label_workspace = []() -> std::size_t { return 0; },
    .pseudo_label_step = launch<PseudoLabelStep, pseudo_label_step>,
    .warp_faces = launch<WarpFaces, warp_faces>,
    .resize_luma = launch<ResizeLuma, resize_luma>,
    .run_layer = launch<RunLayer, run_layer>,
    .decode_detections = launch<DecodeDetections, decode_detections>,
    .blend_shapes = launch<BlendShapes, blend_shapes>,
};

}  // namespace

#define HOST_CUDA extern "C" __attribute__((visibility("default")))

HOST_CUDA const fer::kernels::KernelTable* fer_cuda_kernels() {
  return &table;
}

HOST_CUDA void host_cuda_counts(host_cuda::Counts* out) {
  const std::lock_guard lock(mutex);
  *out = counts;
}

HOST_CUDA void host_cuda_run_out_of_memory(bool out) {
  out_of_memory = out;
}

// --- The driver, in the names and types of cuda.h.

HOST_CUDA int cuInit(unsigned) {
  return kSuccess;
}
HOST_CUDA int cuDriverGetVersion(int* version) {
  *version = 12000;
  return kSuccess;
}
HOST_CUDA int cuGetErrorName(int, const char** name) {
  *name = "CUDA_ERROR";
  return kSuccess;
}
HOST_CUDA int cuGetErrorString(int, const char** text) {
  *text = "an error of the device of the tests";
  return kSuccess;
}
HOST_CUDA int cuDeviceGetCount(int* count) {
  *count = 1;
  return kSuccess;
}
HOST_CUDA int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 ? kSuccess : kInvalidValue;
}
HOST_CUDA int cuDeviceGetName(char* name, int size, int) {
  std::strncpy(name, "the processor", static_cast<std::size_t>(size));
  return kSuccess;
}
HOST_CUDA int cuDeviceGetAttribute(int* value, int attribute, int) {
  constexpr int kTextureAlignment = 14;
  *value = attribute == kTextureAlignment ? static_cast<int>(kPitch) : 1;
  return kSuccess;
}
HOST_CUDA int cuDeviceCanAccessPeer(int* can, int, int) {
  *can = 0;
  return kSuccess;
}
HOST_CUDA int cuDevicePrimaryCtxRetain(void** context, int) {
  static int primary;
  *context = &primary;
  return kSuccess;
}
HOST_CUDA int cuCtxCreate_v2(void** context, unsigned, int) {
  *context = new int;
  contexts.push_back(*context);
  return kSuccess;
}
HOST_CUDA int cuCtxDestroy_v2(void* context) {
  std::erase(contexts, context);
  delete static_cast<int*>(context);
  return kSuccess;
}
HOST_CUDA int cuCtxPushCurrent_v2(void* context) {
  contexts.push_back(context);
  return kSuccess;
}
HOST_CUDA int cuCtxPopCurrent_v2(void** context) {
  if (contexts.empty()) return kInvalidContext;
  if (context) *context = contexts.back();
  contexts.pop_back();
  return kSuccess;
}
HOST_CUDA int cuMemAlloc_v2(std::uint64_t* start, std::size_t bytes) {
  return allocate(reinterpret_cast<char**>(start), bytes);
}
HOST_CUDA int cuMemAllocPitch_v2(std::uint64_t* start, std::size_t* pitch, std::size_t width_bytes,
                                 std::size_t height, unsigned) {
  *pitch = (width_bytes + kPitch - 1) / kPitch * kPitch;
  return allocate(reinterpret_cast<char**>(start), *pitch * height);
}
HOST_CUDA int cuMemFree_v2(std::uint64_t start) {
  return release(reinterpret_cast<char*>(start));
}
HOST_CUDA int cuMemAllocHost_v2(void** memory, std::size_t bytes) {
  *memory = ::operator new(bytes);
  return kSuccess;
}
HOST_CUDA int cuMemFreeHost(void* memory) {
  ::operator delete(memory);
  return kSuccess;
}
HOST_CUDA int cuMemcpy2D_v2(const Copy2D* copy) {
  return copy_2d(*copy);
}
HOST_CUDA int cuMemcpy2DAsync_v2(const Copy2D* copy, void*) {
  return copy_2d(*copy);
}
HOST_CUDA int cuStreamCreate(void** stream, unsigned) {
  *stream = new int;
  return kSuccess;
}
HOST_CUDA int cuStreamDestroy_v2(void* stream) {
  delete static_cast<int*>(stream);
  return kSuccess;
}
HOST_CUDA int cuStreamDestroy(void* stream) {
  return cuStreamDestroy_v2(stream);
}
HOST_CUDA int cuStreamSynchronize(void*) {
  return contexts.empty() ? kInvalidContext : kSuccess;
}

// What GStreamer's library looks up and these tests never call.
#define NOT_HERE(name)    \
  HOST_CUDA int name() {  \
    return kNotSupported; \
  }
NOT_HERE(cuCtxEnablePeerAccess)
NOT_HERE(cuCtxDisablePeerAccess)
NOT_HERE(cuGraphicsMapResources)
NOT_HERE(cuGraphicsUnmapResources)
NOT_HERE(cuGraphicsUnregisterResource)
NOT_HERE(cuGraphicsSubResourceGetMappedArray)
NOT_HERE(cuGraphicsResourceGetMappedPointer_v2)
NOT_HERE(cuGraphicsResourceSetMapFlags_v2)
NOT_HERE(cuGraphicsGLRegisterImage)
NOT_HERE(cuGraphicsGLRegisterBuffer)
NOT_HERE(cuGLGetDevices_v2)
NOT_HERE(cuModuleLoadData)
NOT_HERE(cuModuleUnload)
NOT_HERE(cuModuleGetFunction)
NOT_HERE(cuTexObjectCreate)
NOT_HERE(cuTexObjectDestroy)
NOT_HERE(cuLaunchKernel)
