#include "kernels/open_kernels.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"

namespace fer::kernels {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A machine on which all is well.
CudaFacts good() {
  CudaFacts facts;
  facts.driver_found = true;
  facts.driver_version = 13000;
  facts.toolkit = 12080;
  facts.architectures = "80, 90";
  facts.devices = 2;
  return facts;
}

TEST(CudaRefusal, HasNothingToSayWhereAllIsWell) {
  EXPECT_EQ(cuda_refusal(good(), 1), "");
  // An older minor version of the driver runs what a newer toolkit compiled.
  CudaFacts facts = good();
  facts.driver_version = 12020;
  EXPECT_EQ(cuda_refusal(facts, 0), "");
}

TEST(CudaRefusal, SaysThatTheBuildHasNone) {
  CudaFacts facts;
  facts.built = false;
  EXPECT_THAT(cuda_refusal(facts, 0),
              AllOf(HasSubstr("no CUDA in it"), HasSubstr("-Dcuda=enabled")));
}

TEST(CudaRefusal, SaysThatThereIsNoDriver) {
  EXPECT_THAT(cuda_refusal({}, 0), AllOf(HasSubstr("device 0"), HasSubstr("no NVIDIA driver"),
                                         HasSubstr("install one")));
}

TEST(CudaRefusal, SaysThatTheDriverDoesNotAnswer) {
  CudaFacts facts = good();
  facts.driver_error = 803;
  EXPECT_THAT(cuda_refusal(facts, 0), AllOf(HasSubstr("803"), HasSubstr("nvidia-smi")));
  facts.driver_error = 100;
  EXPECT_THAT(cuda_refusal(facts, 0), HasSubstr("no device"));
}

TEST(CudaRefusal, SaysThatTheDriverIsOlderThanTheToolkit) {
  CudaFacts facts = good();
  facts.driver_version = 12040;
  facts.toolkit = 13000;
  EXPECT_THAT(cuda_refusal(facts, 0),
              AllOf(HasSubstr("CUDA 12.4 at most"), HasSubstr("13.0"),
                    HasSubstr("update the driver"), HasSubstr("a toolkit 12")));
}

TEST(CudaRefusal, SaysWhichDevicesThereAre) {
  EXPECT_THAT(cuda_refusal(good(), 2), AllOf(HasSubstr("device 2"), HasSubstr("there are 2")));
  EXPECT_THAT(cuda_refusal(good(), -1), HasSubstr("no such device"));
}

TEST(CudaRefusal, SaysThatTheArchitectureWasNotBuilt) {
  CudaFacts facts = good();
  facts.device_error = "no kernel image is available for execution on the device";
  EXPECT_THAT(cuda_refusal(facts, 0),
              AllOf(HasSubstr("no kernel image"), HasSubstr("80, 90"), HasSubstr("-Dcuda-archs")));
}

TEST(CudaRefusal, SaysThatTheLibraryIsMissing) {
  CudaFacts facts = good();
  facts.library_error = "libfer-cuda.so.0: no such file";
  EXPECT_THAT(cuda_refusal(facts, 0),
              AllOf(HasSubstr("no such file"), HasSubstr("-Dcuda=enabled")));
}

TEST(OpenKernels, SaysWhyThereAreNone) {
  if (dlopen("libcuda.so.1", RTLD_NOW)) GTEST_SKIP() << "There is an NVIDIA driver here.";
  EXPECT_THAT(test::error_of([] { open_kernels(); }),
              AllOf(HasSubstr("CUDA device 0"),
                    testing::AnyOf(HasSubstr("no NVIDIA driver"), HasSubstr("no CUDA in it"))));
}

}  // namespace
}  // namespace fer::kernels
