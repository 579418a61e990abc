#include "model/slot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "model/stored_model.h"
#include "scoped.h"
#include "unit/model/model_support.h"
#include "unit/model/wait_for.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using test::RandomModel;
using test::tiny_config;
using test::wait_for;
using testing::HasSubstr;

std::shared_ptr<const Classifier> classifier(std::uint64_t seed) {
  RandomModel model(tiny_config(), seed);
  return std::make_shared<const Classifier>(*model.stored(), Precision::kFp32);
}

class Slot : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "model.fer"; }
  std::string write(std::uint64_t seed) const {
    return RandomModel(tiny_config(), seed).write(path());
  }
  ModelSlot::Source source(bool reload = false) const {
    return {.path = path(), .layout = {Precision::kFp32, "cpu"}, .reload = reload, .interval = 5ms};
  }
  /// Returns once a slot of the same interval has seen that `rewrite` changed the file. Whoever
  /// looks at the file has had the time to see it, too.
  void wait_for_reload_elsewhere(const std::function<void()>& rewrite) const {
    ModelSlot witness;
    witness.open(source(true));
    for (std::uint64_t round = 1; round <= 2; ++round) {
      rewrite();
      ASSERT_TRUE(wait_for([&] { return witness.swaps() == round; }));
    }
  }
  test::ScopedFolder folder_;
};

TEST_F(Slot, IsSharedByName) {
  const auto a = ModelSlot::get("a"), b = ModelSlot::get("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(ModelSlot::get("a"), a);
  EXPECT_NE(ModelSlot::get(""), ModelSlot::get(""));
}

TEST_F(Slot, IsForgottenWithItsLastUser) {
  auto slot = ModelSlot::get("shortlived");
  slot->swap(classifier(1));
  slot.reset();
  EXPECT_EQ(ModelSlot::get("shortlived")->current(), nullptr);
}

TEST_F(Slot, ServesWhatWasSwappedIn) {
  ModelSlot slot;
  EXPECT_EQ(slot.current(), nullptr);
  const auto first = classifier(1), second = classifier(2);
  EXPECT_EQ(slot.swap(first), nullptr);
  EXPECT_EQ(slot.swaps(), 0u);
  EXPECT_EQ(slot.swap(second), first);
  EXPECT_EQ(slot.current(), second);
  EXPECT_EQ(slot.swaps(), 1u);
  EXPECT_EQ(slot.queue().classify({}).classifier, second);
}

TEST_F(Slot, OpensTheFirstModelOnly) {
  const std::string version = write(1);
  ModelSlot slot;
  const auto first = slot.open(source());
  EXPECT_EQ(first->info().version, version);
  EXPECT_EQ(slot.source(), path());
  write(2);
  EXPECT_EQ(slot.open(source()), first);
  std::filesystem::remove(path());
  EXPECT_EQ(slot.open(source()), first);  // it does not even look
}

TEST_F(Slot, ServesALearnersModelsInTheLayoutOfWhoOpensIt) {
  const auto learnt = [](std::uint64_t seed) { return RandomModel(tiny_config(), seed).stored(); };
  const Precision best = cpu_has_bf16() ? Precision::kBf16 : Precision::kFp32;
  ModelSlot slot;
  slot.serve(learnt(1));
  const auto first = slot.current();
  EXPECT_EQ(first->precision(), best);
  // It serves already: the file is not looked at, but how it is to be computed is.
  const auto opened = slot.open(source());
  EXPECT_EQ(opened->precision(), Precision::kFp32);
  EXPECT_EQ(opened->info().version, first->info().version);
  EXPECT_EQ(slot.current(), opened);
  EXPECT_EQ(slot.swaps(), 0u);
  slot.serve(learnt(2));
  EXPECT_EQ(slot.current()->precision(), Precision::kFp32);
  EXPECT_EQ(slot.swaps(), 1u);
  // The first to open settles it.
  ModelSlot::Source other = source();
  other.layout.precision = Precision::kAuto;
  EXPECT_EQ(slot.open(other)->precision(), Precision::kFp32);
}

TEST_F(Slot, LeavesWhatWasSwappedInAsItIs) {
  ModelSlot slot;
  slot.serve(RandomModel(tiny_config(), 1).stored());
  const auto swapped = classifier(2);
  slot.swap(swapped);
  EXPECT_EQ(slot.open(source()), swapped);
}

TEST_F(Slot, IsOpenedOnceByManyAtOnce) {
  write(1);
  ModelSlot slot;
  std::vector<std::shared_ptr<const Classifier>> opened(6);
  std::vector<std::thread> threads;
  for (auto& mine : opened) threads.emplace_back([&] { mine = slot.open(source(true)); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(opened[0], nullptr);
  EXPECT_THAT(opened, testing::Each(opened[0]));
}

TEST_F(Slot, StaysEmptyWhereTheFileIsBroken) {
  ModelSlot slot;
  folder_.write("model.fer", "nonsense");
  EXPECT_THROW(slot.open(source(true)), std::runtime_error);
  EXPECT_EQ(slot.current(), nullptr);
  EXPECT_THROW(slot.queue().classify({}), std::runtime_error);
  const std::string version = write(1);
  EXPECT_EQ(slot.open(source(true))->info().version, version);
}

TEST_F(Slot, ReloadsAReplacedFile) {
  write(1);
  ModelSlot slot;
  slot.open(source(true));
  for (const std::uint64_t seed : {2, 3}) {
    const std::string version = write(seed);
    EXPECT_TRUE(wait_for([&] { return slot.current()->info().version == version; }));
  }
  EXPECT_EQ(slot.swaps(), 2u);
  EXPECT_EQ(slot.failures().count, 0u);
}

TEST_F(Slot, LeavesAReplacedFileAloneWhereNobodyAskedForReloads) {
  write(1);
  ModelSlot slot;
  const auto first = slot.open(source(false));
  std::uint64_t seed = 1;
  wait_for_reload_elsewhere([&] { write(++seed); });
  EXPECT_EQ(slot.current(), first);
}

TEST_F(Slot, ServesOnWhereTheNewFileIsBroken) {
  const std::string version = write(1);
  ModelSlot slot;
  slot.open(source(true));
  // At once, or a slow machine sees it half written, too.
  std::filesystem::rename(folder_.write("nonsense", "nonsense, and longer than eight bytes"),
                          folder_.path() / "model.fer");
  EXPECT_TRUE(wait_for([&] { return slot.failures().count == 1; }));
  EXPECT_THAT(slot.failures().last, HasSubstr("model.fer"));
  EXPECT_EQ(slot.current()->info().version, version);
  // And recovers.
  const std::string repaired = write(2);
  EXPECT_TRUE(wait_for([&] { return slot.current()->info().version == repaired; }));
  EXPECT_EQ(slot.failures().count, 1u);
}

TEST_F(Slot, KeepsWhatWasLearntOverWhatStandsInTheFile) {
  write(1);
  ModelSlot slot;
  slot.open(source(true));
  const auto learnt = classifier(7);
  slot.swap(learnt);
  std::uint64_t seed = 1;
  wait_for_reload_elsewhere([&] { write(++seed); });
  EXPECT_EQ(slot.current(), learnt);
  EXPECT_EQ(slot.swaps(), 1u);
}

TEST_F(Slot, IsSwappedUnderLoad) {
  const std::vector<std::shared_ptr<const Classifier>> models{classifier(1), classifier(2),
                                                              classifier(3)};
  const auto crops = test::random_bytes(2 * models[0]->crop_bytes());
  std::vector<std::vector<float>> expected;
  for (const auto& model : models) expected.push_back(model->logits(crops));
  ModelSlot slot;
  slot.swap(models[0]);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, answers{0};
  std::mutex mutex;
  std::set<const Classifier*> seen;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const auto answer = slot.queue().classify(crops);
        ++answers;
        // The logits are those of the model that the answer names.
        for (std::size_t m = 0; m < models.size(); ++m) {
          if (answer.classifier == models[m] && answer.logits != expected[m]) ++wrong;
        }
        const std::lock_guard lock(mutex);
        seen.insert(answer.classifier.get());
      }
    });
  }
  for (int swap = 1; swap <= 60; ++swap) {
    slot.swap(models[static_cast<std::size_t>(swap) % 3]);
    std::this_thread::sleep_for(1ms);
  }
  wait_for([&] {
    const std::lock_guard lock(mutex);
    return seen.size() == 3;
  });
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(answers, 0);
  EXPECT_EQ(slot.swaps(), 60u);
}

}  // namespace
}  // namespace fer
