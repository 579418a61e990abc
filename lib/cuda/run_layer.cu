// The device form of run_layer(): a thread a value.
#include "cuda/launch.cuh"
#include "cuda/launches.h"
#include "cuda/run_layer.h"

namespace fer::kernels {

const char* run_layer_on(const RunLayer& layer, Stream stream) {
  return launch_pixels(layer.to.channels, layer.to.height, layer.to.width, stream,
                       [=] __device__(int c, int y, int x) { make_value(layer, c, y, x); });
}

}  // namespace fer::kernels
