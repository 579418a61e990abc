// libfer-cuda by itself, wherever it was built: it opens where there is no driver, too.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "kernels/kernel_table.h"

namespace fer::kernels {
namespace {

TEST(LibFerCuda, OpensAndSaysWhatItIsWithoutADevice) {
  const char* path = std::getenv("FER_CUDA_LIBRARY");
  ASSERT_NE(path, nullptr) << "meson test sets FER_CUDA_LIBRARY";
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto getter = reinterpret_cast<KernelTableGetter>(dlsym(library, kKernelTableSymbol));
  ASSERT_NE(getter, nullptr);
  const KernelTable& table = *getter();
  EXPECT_EQ(table.version, kKernelTableVersion);
  EXPECT_GE(table.toolkit, 12000);
  EXPECT_STRNE(table.architectures, "");
  int devices = -1;
  const char* error = table.count_devices(&devices);
  EXPECT_EQ(devices > 0, error == nullptr);
  // No driver, or no such device: words, and no crash.
  EXPECT_NE(table.check_device(1000), nullptr);
  EXPECT_NE(table.use_device(1000), nullptr);
  EXPECT_GT(table.pseudo_label_workspace(), sizeof(double));
}

}  // namespace
}  // namespace fer::kernels
