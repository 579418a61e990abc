#include "kernels/device_grid_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "unit/kernels/detector_layers.h"

namespace fer::kernels {
namespace {

/// The processor as a device.
KernelTable host_table() {
  KernelTable table{};
  table.allocate = [](void** memory, std::size_t bytes) -> const char* {
    *memory = std::malloc(bytes);
    return nullptr;
  };
  table.release = [](void* memory) -> const char* {
    std::free(memory);
    return nullptr;
  };
  table.upload = [](void* to, const void* from, std::size_t bytes, Stream) -> const char* {
    std::memcpy(to, from, bytes);
    return nullptr;
  };
  table.download = table.upload;
  return table;
}

TEST(DeviceGridDetector, MakesRoomForTheDetectorsNetwork) {
  const KernelTable table = host_table();
  DeviceGridDetector cells(table, std::make_shared<GridLayers>(test::DetectorLayers(1).layers),
                           nullptr);
  EXPECT_NE(cells.input(128, 128), nullptr);
}

TEST(DeviceGridDetector, RefusesAnotherNumberOfFiltersThanChannels) {
  const KernelTable table = host_table();
  auto layers = std::make_shared<GridLayers>(test::DetectorLayers(1).layers);
  GridLayer odd;
  odd.input = 1;
  odd.in = 1;
  odd.out = 2;  // Over 32 channels.
  odd.kernel = 3;
  odd.stride = 1;
  odd.pad = 1;
  odd.weight.assign(2 * 3 * 3, 1.f);
  odd.bias.assign(2, 0.f);
  layers->layers.push_back(odd);
  DeviceGridDetector cells(table, layers, nullptr);
  try {
    cells.input(128, 128);
    FAIL() << "it took the network";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("expected 32 filters, one a channel, found 2"));
  }
}

}  // namespace
}  // namespace fer::kernels
