#include "stream/sample_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "error_of.h"

namespace fer {
namespace {

Evidence evidence(int label, std::int64_t track, const std::string& source = "cam") {
  Evidence e;
  e.source = source;
  e.track = track;
  e.frames = 25;
  e.mean = {0.2f, 0.3f, 0.5f};
  e.label = label;
  e.majority = 1;
  e.crops = {{1, 2, 3}};
  return e;
}

MemoryConfig config(int per_class, int per_identity) {
  MemoryConfig c;
  c.per_class = per_class;
  c.per_identity = per_identity;
  return c;
}

TEST(SampleMemory, KeepsNoMoreOfAClassThanItsShare) {
  SampleMemory memory(config(10, 100), 3);
  for (int i = 0; i < 500; ++i) memory.add(evidence(0, i));
  for (int i = 0; i < 4; ++i) memory.add(evidence(1, 1000 + i));
  EXPECT_EQ(memory.count(0), 10);
  EXPECT_EQ(memory.count(1), 4);
  EXPECT_EQ(memory.size(), 14);
  EXPECT_EQ(memory.capacity(), 30);
  EXPECT_EQ(memory.added(), 504u);
  // The newest stay.
  EXPECT_EQ(memory.items().front().evidence.track, 490);
}

TEST(SampleMemory, KeepsNoMoreOfAnIdentityThanItsShare) {
  SampleMemory memory(config(100, 3), 3);
  for (int i = 0; i < 50; ++i) memory.add(evidence(i % 3, 7));
  for (int i = 0; i < 50; ++i) memory.add(evidence(i % 3, 7, "door"));
  EXPECT_EQ(memory.size(), 6);
  // Of whom nobody knows who they are, there is no such cap.
  for (int i = 0; i < 9; ++i) memory.add(evidence(0, -1));
  EXPECT_EQ(memory.size(), 15);
}

TEST(SampleMemory, MakesRoomAtTheCostOfWhoHasMost) {
  SampleMemory memory(config(4, 3), 3);
  memory.add(evidence(0, 1));
  for (int i = 0; i < 3; ++i) memory.add(evidence(0, 2));
  memory.add(evidence(0, 3));
  std::map<std::int64_t, int> tracks;
  for (const auto& item : memory.items()) ++tracks[item.evidence.track];
  EXPECT_EQ(tracks, (std::map<std::int64_t, int>{{1, 1}, {2, 2}, {3, 1}}));
}

TEST(SampleMemory, StaysBoundedWhereLabelsMove) {
  SampleMemory memory(config(5, 100), 3);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 20; ++i) memory.add(evidence(i % 3, 100 * round + i));
    for (std::size_t i = 0; i < memory.items().size(); ++i) memory.relabel(i, 2);
    EXPECT_LE(memory.size(), memory.capacity());
  }
}

TEST(SampleMemory, DrawsARareClassOftenerThanItCameButNotAllTheTime) {
  SampleMemory memory(config(50, 100), 3);
  for (int i = 0; i < 49; ++i) memory.add(evidence(0, i));
  memory.add(evidence(2, 100));
  EXPECT_THAT(memory.shares(), testing::ElementsAre(7.0 / 8, 0, 1.0 / 8));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::map<int, int> drawn;
    for (std::size_t i : memory.draw(40, Random(seed))) ++drawn[memory.items()[i].evidence.label];
    EXPECT_EQ(drawn, (std::map<int, int>{{0, 35}, {2, 5}}));
  }
  // Where shares are no whole numbers, chance says who gets the rest.
  std::map<int, int> drawn;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const auto one = memory.draw(1, Random(seed));
    ASSERT_EQ(one.size(), 1u);
    ++drawn[memory.items()[one[0]].evidence.label];
  }
  EXPECT_NEAR(drawn[2], 500, 100);
}

TEST(SampleMemory, DrawsTheSameForASeed) {
  SampleMemory memory(config(50, 100), 3);
  for (int i = 0; i < 60; ++i) memory.add(evidence(i % 3, i));
  EXPECT_EQ(memory.draw(12, Random(1, 2, 3)), memory.draw(12, Random(1, 2, 3)));
  EXPECT_NE(memory.draw(12, Random(1, 2, 3)), memory.draw(12, Random(1, 2, 4)));
  EXPECT_TRUE(SampleMemory(config(5, 5), 3).draw(4, Random(1)).empty());
}

TEST(SampleMemory, WithoutItsGuardIsWhatCameLast) {
  SampleMemory memory(config(4, 1), 3, /*capped=*/false);
  for (int i = 0; i < 100; ++i) memory.add(evidence(0, 1));
  EXPECT_EQ(memory.size(), 12);
  EXPECT_THAT(memory.draw(3, Random(1)), testing::ElementsAre(11, 10, 9));
}

TEST(SampleMemory, GoesOnFromWhatItWas) {
  SampleMemory memory(config(5, 2), 3);
  for (int i = 0; i < 30; ++i) memory.add(evidence(i % 3, i / 4));
  SampleMemory other(config(5, 2), 3);
  other.restore(memory.items(), memory.added());
  memory.add(evidence(1, 77));
  other.add(evidence(1, 77));
  ASSERT_EQ(other.size(), memory.size());
  for (std::size_t i = 0; i < memory.items().size(); ++i) {
    EXPECT_EQ(other.items()[i].id, memory.items()[i].id);
    EXPECT_EQ(other.items()[i].evidence.track, memory.items()[i].evidence.track);
  }
  EXPECT_EQ(other.draw(9, Random(5)), memory.draw(9, Random(5)));
}

TEST(SampleMemory, RefusesWhatDoesNotFit) {
  const auto refused = [](auto change) {
    std::vector<SampleMemory::Item> items{{0, evidence(0, 1)}, {3, evidence(1, 2)}};
    std::uint64_t added = 4;
    change(items, added);
    SampleMemory memory(config(1, 1), 3);
    return !test::error_of([&] { memory.restore(items, added); }).empty();
  };
  EXPECT_FALSE(refused([](auto&, auto&) {}));
  EXPECT_TRUE(refused([](auto&, auto& added) { added = 3; }));
  EXPECT_TRUE(refused([](auto& items, auto&) { items[1].evidence.label = 3; }));
  EXPECT_TRUE(refused([](auto& items, auto&) { items[1].evidence.mean.pop_back(); }));
  EXPECT_TRUE(refused([](auto& items, auto&) { items[1].evidence.crops.clear(); }));
  EXPECT_TRUE(refused([](auto& items, auto&) { std::swap(items[0], items[1]); }));
  EXPECT_TRUE(refused([](auto& items, auto& added) {
    items.resize(4, items[1]);
    for (std::size_t i = 0; i < 4; ++i) items[i].id = i;
    added = 9;
  }));
}

}  // namespace
}  // namespace fer
