// Mapped files that shrink.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "model/safetensors.h"
#include "scoped.h"

namespace fer {
namespace {

TEST(MappedFile, ReadsAsZerosWhereItShrank) {
  const test::ScopedFolder folder;
  const auto path = folder.path() / "large.safetensors";
  const std::vector<std::uint8_t> ones(1 << 20, 1);
  const auto size = static_cast<std::int64_t>(ones.size());
  write_safetensors(path, {{"ones", {DType::kU8, {size}, ones.data(), ones.size()}}}, {});
  const SafetensorsFile file(path);
  const auto* data = static_cast<const std::uint8_t*>(file.at("ones", DType::kU8, 1).data);
  EXPECT_EQ(data[ones.size() - 1], 1);
  std::filesystem::resize_file(path, 4096);
  EXPECT_EQ(data[0], 1);
  EXPECT_EQ(data[ones.size() - 1], 0);
  EXPECT_EQ(data[ones.size() / 2], 0);
}

// Other faults of a mapping are nobody's mistake but the program's.
TEST(MappedFileDeathTest, LeavesOtherFaultsToThemselves) {
  const test::ScopedFolder folder;
  const auto path = folder.path() / "small.safetensors";
  const std::uint8_t one = 1;
  write_safetensors(path, {{"one", {DType::kU8, {1}, &one, 1}}}, {});
  const SafetensorsFile file(path);  // Installs the handler.
  EXPECT_EXIT(std::raise(SIGBUS), testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace fer
