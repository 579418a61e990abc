// Changed detector files: none ends the process, and none is taken for what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "content.h"
#include "detector_models.h"
#include "fuzz/mutated.h"
#include "scoped.h"
#include "vision/detector.h"
#include "vision/onnx_checksum.h"

namespace fer::test {
namespace {

/// As many changed files as the environment says.
int changes(int usual) {
  const char* asked = std::getenv("FER_TEST_CHANGES");
  return asked != nullptr ? std::atoi(asked) : usual;
}

bool opens(const std::filesystem::path& file) {
  try {
    return open_detector(file) != nullptr;
  } catch (const std::runtime_error& refused) {
    EXPECT_THAT(refused.what(), testing::HasSubstr(file.filename().string() + ": expected"));
    return false;
  }
}

TEST(ChangedDetector, IsNeverTakenForWhatWasWritten) {
  const std::filesystem::path own = own_detector_path();
  if (own.empty()) GTEST_SKIP() << "no face-detector.onnx here";
  const std::string written = content(own);
  const ScopedFolder folder;
  std::mt19937 random(1);
  int tried = 0;
  for (int i = 0; i < changes(300); ++i) {
    const std::string bytes = mutated(written, random);
    if (bytes == written) continue;
    ++tried;
    ASSERT_FALSE(opens(folder.write("changed.onnx", bytes))) << "change " << i;
  }
  EXPECT_GT(tried, changes(300) / 2);
  std::printf("%d changed files, none accepted\n", tried);
}

// Whoever means harm writes the checksum anew; whoever fetched a file finds none.
TEST(ChangedDetector, EndsNoProcessWhenItsChecksumIsRight) {
  const std::filesystem::path own = own_detector_path();
  if (own.empty()) GTEST_SKIP() << "no face-detector.onnx here";
  const std::string written = content(own);
  const std::string body = written.substr(0, written.size() - onnx_checksum::kSize);
  const ScopedFolder folder;
  std::mt19937 random(2);
  int accepted = 0, tried = 0;
  for (; tried < changes(300) / 30; ++tried)
    accepted += opens(folder.write("forged.onnx", with_onnx_checksum(mutated(body, random))));
  std::printf("%d forged files, %d accepted\n", tried, accepted);
}

TEST(ChangedDetector, EndsNoProcessWhenOthersMadeIt) {
  const std::filesystem::path yunet = yunet_path();
  if (yunet.empty()) GTEST_SKIP() << "no YuNet here; scripts/models gets it";
  const std::string written = content(yunet);
  const ScopedFolder folder;
  std::mt19937 random(3);
  int tried = 0;
  for (int i = 0; i < changes(300) / 30; ++i) {
    const std::string bytes = mutated(written, random);
    if (bytes == written) continue;
    ++tried;
    EXPECT_FALSE(opens(folder.write("fetched.onnx", bytes))) << "change " << i;
  }
  std::printf("%d changed files of YuNet, none accepted\n", tried);
}

}  // namespace
}  // namespace fer::test
