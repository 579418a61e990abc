// The descriptions in the documentation, as they are pasted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "content.h"
#include "data/tiny_onnx.h"
#include "model/classifier.h"
#include "scoped.h"

namespace fer {
namespace {

/// The blocks of JSON in a page.
std::vector<std::string> json_blocks(const std::filesystem::path& page) {
  const std::string text = test::content(page), begin = "```json\n", end = "```";
  std::vector<std::string> blocks;
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    blocks.push_back(text.substr(at, text.find(end, at) - at));
  }
  return blocks;
}

TEST(DescriptionExamples, WorkAsPasted) {
  const auto blocks =
      json_blocks(std::filesystem::path(DOCS) / "how-to" / "use-your-own-network.md");
  ASSERT_EQ(blocks.size(), 2u);
  const test::ScopedFolder folder;
  folder.write("grey.json", blocks[0]);
  std::vector<std::size_t> places(7);
  for (std::size_t k = 0; k < places.size(); ++k) places[k] = 100 * k;
  test::TinyOnnx grey = test::picking_onnx({1, 1, 64, 64}, places);
  grey.softmax = true;
  const auto first = Classifier::open(folder.write("grey.onnx", grey.bytes()), Precision::kFp32);
  EXPECT_EQ(first->info().network.input_size, 64);
  EXPECT_EQ(first->info().labels[3], "happiness");

  folder.write("colour.json", blocks[1]);
  places.resize(8, 40);
  const test::TinyOnnx colour = test::picking_onnx({1, 3, 32, 32}, places);
  const auto second =
      Classifier::open(folder.write("colour.onnx", colour.bytes()), Precision::kFp32);
  const std::vector<std::uint8_t> white(3 * 32 * 32, 255);
  EXPECT_NEAR(second->logits(white)[0], (1 - 0.485) / 0.229, 1e-4);
}

}  // namespace
}  // namespace fer
