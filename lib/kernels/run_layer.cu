// The device form of run_layer(): a thread a value. The sides of our detector's filters are known
// to the compiler, so that a value's loads do not wait for each other.
#include "kernels/launch.cuh"
#include "kernels/launches.h"
#include "kernels/run_layer.h"

namespace fer::kernels {
namespace {

template <int kKernel>
const char* launch_layer(const RunLayer& layer, Stream stream) {
  return launch_pixels(
      layer.to.channels, layer.to.height, layer.to.width, stream,
      [=] __device__(int c, int y, int x) { make_value<kKernel>(layer, c, y, x); });
}

}  // namespace

const char* run_layer_on(const RunLayer& layer, Stream stream) {
  switch (layer.kernel) {
    case 1:
      return launch_layer<1>(layer, stream);
    case 3:
      return launch_layer<3>(layer, stream);
    case 7:
      return launch_layer<7>(layer, stream);
    default:
      return launch_layer<0>(layer, stream);
  }
}

}  // namespace fer::kernels
