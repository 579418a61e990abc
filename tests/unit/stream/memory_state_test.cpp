#include "stream/memory_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "error_of.h"

namespace fer {
namespace {

using testing::HasSubstr;

constexpr FaceShape kShape{4, 3, 2};

SampleMemory filled() {
  SampleMemory memory(MemoryConfig(), 2);
  for (int i = 0; i < 3; ++i) {
    Evidence e;
    e.source = "cam";
    e.track = i;
    e.mean = {0.5f, 0.5f};
    e.label = i % 2;
    const auto byte = static_cast<std::uint8_t>(i);
    e.crops = {{byte, 1, 2, 3}, {byte, 4, 5, 6}};
    e.latents = {{0.5f, static_cast<float>(i)}, 0.25f, {byte, 8, 9}};
    memory.add(std::move(e), 1000 + i);
  }
  return memory;
}

SampleMemory back(const Checkpoint& kept) {
  SampleMemory memory(MemoryConfig(), 2);
  restore_memory(kept, kShape, memory);
  return memory;
}

TEST(MemoryState, KeepsCropsOrLatents) {
  const SampleMemory before = filled();
  for (const SampleStore store : {SampleStore::kCrops, SampleStore::kLatents}) {
    Checkpoint kept;
    keep_memory(before, store, kept);
    const SampleMemory after = back(kept);
    ASSERT_EQ(after.size(), 3);
    EXPECT_EQ(after.added(), before.added());
    for (std::size_t i = 0; i < 3; ++i) {
      const auto &was = before.items()[i], &is = after.items()[i];
      EXPECT_EQ(is.added_s, was.added_s);
      EXPECT_EQ(is.evidence.latents.features, was.evidence.latents.features);
      if (store == SampleStore::kCrops) {
        EXPECT_EQ(is.evidence.crops, was.evidence.crops);
        EXPECT_TRUE(is.evidence.latents.bytes.empty());
      } else {
        EXPECT_TRUE(is.evidence.crops.empty());
        EXPECT_EQ(is.evidence.latents.bytes, was.evidence.latents.bytes);
        EXPECT_EQ(is.evidence.latents.scale, was.evidence.latents.scale);
      }
    }
  }
}

TEST(MemoryState, KeepsNothingWhereAskedTo) {
  Checkpoint kept;
  keep_memory(filled(), SampleStore::kNothing, kept);
  for (const auto& [name, tensor] : kept.tensors) EXPECT_EQ(tensor.numel(), 0) << name;
  EXPECT_EQ(back(kept).size(), 0);
  EXPECT_EQ(back(kept).added(), 3u);
}

TEST(MemoryState, RefusesWhatIsShorterThanItSays) {
  for (const char* name : {"memory", "memory.features"}) {
    Checkpoint kept;
    keep_memory(filled(), SampleStore::kCrops, kept);
    kept.tensors[name] = kept.tensors[name].narrow(0, 0, 1);
    EXPECT_THAT(test::error_of([&] { back(kept); }), HasSubstr(name));
  }
  Checkpoint kept;
  keep_memory(filled(), SampleStore::kLatents, kept);
  kept.state["items"][0]["crops"] = 1'000'000'000;
  EXPECT_THAT(test::error_of([&] { back(kept); }), HasSubstr("more crops"));
}

}  // namespace
}  // namespace fer
