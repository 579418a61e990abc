#include "stream/checkpoint_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <torch/torch.h>
#include <unistd.h>

#include <fstream>

#include "content.h"
#include "error_of.h"
#include "network/network.h"
#include "scoped.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class CheckpointRingTest : public testing::Test {
 protected:
  void save(CheckpointRing& ring, int number, bool good = false) {
    Checkpoint state;
    state.tensors["memory"] = torch::full({400}, number, torch::kU8);
    state.state = {{"number", number}};
    model_.file().info.provenance = {{"number", number}};
    ring.save(model_.file(), state, good);
  }
  /// The number of the entry that is found; -1: none.
  int newest(const CheckpointRing& ring, bool good_only = false) {
    warnings_.clear();
    const auto entry = ring.newest(good_only, [this](const auto& w) { warnings_.push_back(w); });
    if (!entry) return -1;
    const int number = entry->state.state["number"];
    EXPECT_EQ(entry->model.info.provenance["number"], number);
    EXPECT_EQ(entry->state.tensors.at("memory")[7].item<int>(), number);
    return number;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(path_))
      names.push_back(file.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  const test::ScopedFolder folder_;
  const fs::path path_ = folder_.path() / "ring";
  test::RandomModel model_;
  std::vector<std::string> warnings_;
};

TEST_F(CheckpointRingTest, GivesBackTheNewest) {
  CheckpointRing ring(path_, 3);
  EXPECT_EQ(newest(ring), -1);
  save(ring, 1);
  save(ring, 2);
  EXPECT_EQ(newest(ring), 2);
  EXPECT_EQ(newest(CheckpointRing(path_, 3)), 2);
  EXPECT_EQ(newest(ring, /*good_only=*/true), -1);
}

TEST_F(CheckpointRingTest, KeepsTheLastFewAndTheLastGoodOne) {
  CheckpointRing ring(path_, 2);
  save(ring, 1, true);
  save(ring, 2, true);
  for (int i = 3; i <= 6; ++i) save(ring, i);
  EXPECT_THAT(files(), ElementsAre("00000002.good.fer", "00000002.good.state", "00000005.fer",
                                   "00000005.state", "00000006.fer", "00000006.state"));
  EXPECT_EQ(newest(ring), 6);
  EXPECT_EQ(newest(ring, true), 2);
}

TEST_F(CheckpointRingTest, GivesGoodModelsOldestFirst) {
  CheckpointRing ring(path_, 5);
  save(ring, 1, true);
  save(ring, 2);
  save(ring, 3, true);
  std::vector<int> numbers;
  for (const ModelFile& model : ring.good_models([](const auto&) {}))
    numbers.push_back(model.info.provenance["number"]);
  EXPECT_THAT(numbers, ElementsAre(1, 3));
}

/// Whatever a crash or a bad disk leaves of the last entry, the one before it loads.
TEST_F(CheckpointRingTest, SkipsWhatIsTornWithAWarning) {
  CheckpointRing ring(path_, 3);
  save(ring, 1, true);
  save(ring, 2);
  for (const char* name : {"00000002.fer", "00000002.state"}) {
    const fs::path file = path_ / name;
    const std::string whole = test::content(file);
    for (std::size_t i = 0; i <= 40; ++i) {
      const std::size_t at = i * (whole.size() - 1) / 40;
      std::ofstream(file, std::ios::binary) << whole.substr(0, at);
      EXPECT_EQ(newest(ring), 1) << name << " cut at " << at;
      ASSERT_EQ(warnings_.size(), 1u) << name << " cut at " << at;
      EXPECT_THAT(warnings_[0], HasSubstr(name));
      std::string flipped = whole;
      flipped[at] ^= 0x10;
      std::ofstream(file, std::ios::binary) << flipped;
      // Either refused, or (in what says nothing, such as padding) read as it was.
      EXPECT_THAT(newest(ring), testing::AnyOf(1, 2)) << name << " changed at " << at;
    }
    std::ofstream(file, std::ios::binary) << whole;
    EXPECT_EQ(newest(ring), 2);
  }
}

TEST_F(CheckpointRingTest, SeesNoEntryThatWasNeverFinishedAndClearsItAway) {
  CheckpointRing ring(path_, 3);
  save(ring, 1);
  std::ofstream(path_ / "00000002.state") << "half";
  std::ofstream(path_ / ".00000002.fer.12345") << "half";
  std::ofstream(path_ / "served.fer") << "not ours to touch";
  EXPECT_EQ(newest(ring), 1);
  EXPECT_TRUE(warnings_.empty());
  save(ring, 2);
  EXPECT_THAT(files(), ElementsAre("00000001.fer", "00000001.state", "00000002.fer",
                                   "00000002.state", "served.fer"));
}

TEST_F(CheckpointRingTest, SaysWhyItCannotWrite) {
  std::ofstream(folder_.path() / "file") << "in the way";
  CheckpointRing ring(folder_.path() / "file" / "ring", 3);
  EXPECT_THAT(test::error_of([&] { save(ring, 1); }), HasSubstr("cannot make the folder"));
}

TEST_F(CheckpointRingTest, LeavesItsEntriesAloneInAReadOnlyFolder) {
  if (geteuid() == 0) GTEST_SKIP() << "root writes to read-only folders";
  CheckpointRing closed(path_, 3);
  save(closed, 1);
  ASSERT_EQ(chmod(path_.c_str(), 0500), 0);
  EXPECT_THAT(test::error_of([&] { save(closed, 2); }), HasSubstr("cannot create"));
  EXPECT_EQ(newest(closed), 1);
  ASSERT_EQ(chmod(path_.c_str(), 0700), 0);
}

}  // namespace
}  // namespace fer
