// LibTorch's engines, opened by a program that is not linked against LibTorch.
#include "model/torch_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>

#include <string_view>

#include "model/classifier.h"
#include "model/folded_network.h"
#include "model/inference_engine.h"
#include "unit/model/plain_models.h"
#include "version.h"

namespace fer {
namespace {

using testing::HasSubstr;

/// Whether this process has LibTorch, whatever its version.
bool has_libtorch() {
  const auto look = [](dl_phdr_info* library, std::size_t, void*) {
    return std::string_view(library->dlpi_name).find("/libtorch") != std::string_view::npos ? 1 : 0;
  };
  return dl_iterate_phdr(look, nullptr) != 0;
}

TEST(TorchBackend, IsOpenedWhenItIsAskedForAndAgreesWithOneDnn) {
  const StoredModel model = test::plain_model();
  const Classifier classifier(model, Precision::kFp32);
  if (!classifier.engine().starts_with("oneDNN")) GTEST_SKIP() << "built without oneDNN";
  EXPECT_FALSE(has_libtorch()) << "serving on the processor does without";

  std::string reason;
  const TorchBackend* backend = open_torch_backend(reason);
  ASSERT_NE(backend, nullptr) << reason;
  EXPECT_EQ(reason, "");
  EXPECT_TRUE(has_libtorch());
  EXPECT_STREQ(backend->version, FER_VERSION);
  const auto engine = backend->make_engine(fold(model), Precision::kFp32, "cpu");
  EXPECT_THAT(engine->name(), HasSubstr(backend->torch_version));

  std::vector<std::uint8_t> crops(3 * classifier.crop_bytes());
  Random random(7);
  for (std::uint8_t& byte : crops) byte = static_cast<std::uint8_t>(random.below(256));
  const std::vector<float> expected = classifier.logits(crops);
  std::vector<float> logits(expected.size());
  engine->run(crops.data(), 3, logits.data());
  for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-4) << i;
}

}  // namespace
}  // namespace fer
