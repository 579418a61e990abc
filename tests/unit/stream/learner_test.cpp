#include "stream/learner.h"

#include <c10/core/DefaultDtype.h>
#include <c10/util/typeid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "content.h"
#include "error_of.h"
#include "model/classifier.h"
#include "model/slot.h"
#include "stream/learner_log.h"
#include "tiny_learner.h"
#include "util/folder_lock.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::stream_faces;
using test::TinySource;
using testing::HasSubstr;

/// What a listener heard.
class Heard {
 public:
  Learner::Listener listener() {
    Learner::Listener l;
    l.on_updated = [this](const std::string& version, double) { note(updated_, version); };
    l.on_rolled_back = [this](const std::string& reason) { note(rolled_back_, reason); };
    l.on_report = [this](const LearnerStats& stats) { note(reports_, stats.serving_version); };
    l.on_warning = [this](const std::string& warning) { note(warnings_, warning); };
    return l;
  }
  std::vector<std::string> updated() const { return copy(updated_); }
  std::vector<std::string> rolled_back() const { return copy(rolled_back_); }
  std::vector<std::string> reports() const { return copy(reports_); }
  std::vector<std::string> warnings() const { return copy(warnings_); }

 private:
  void note(std::vector<std::string>& list, const std::string& what) {
    const std::lock_guard lock(mutex_);
    list.push_back(what);
  }
  std::vector<std::string> copy(const std::vector<std::string>& list) const {
    const std::lock_guard lock(mutex_);
    return list;
  }
  mutable std::mutex mutex_;
  std::vector<std::string> updated_, rolled_back_, reports_, warnings_;
};

class LearnerTest : public testing::Test {
 protected:
  LearnerTest() {
    settings_.source_model = TinySource::get().model();
    settings_.replay = settings_.canary = TinySource::get().packed();
    settings_.learning = test::tiny_online_config();
    settings_.learning.strength = 0.2;
    settings_.learning.reuse = 4;
    // No waiting in tests, however busy the machine is.
    settings_.max_cpu = 16;
    settings_.idle_priority = false;
    settings_.report_interval = 0ms;
  }

  static void feed(Learner& learner, int faces, std::uint64_t seed = 1) {
    for (FaceSample& face : stream_faces(faces, seed)) learner.offer(std::move(face));
    learner.end_of("cam");
  }
  fs::path dir() const { return folder_.path() / "checkpoints"; }

  const test::ScopedFolder folder_;
  Learner::Settings settings_;
};

TEST_F(LearnerTest, ServesWhatItLearnsThroughTheSlot) {
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  const std::string source = learner->info().version;
  EXPECT_EQ(learner->slot()->current()->info().version, source);
  feed(*learner, 60);
  ASSERT_TRUE(learner->drain(60s));
  const LearnerStats stats = learner->stats();
  EXPECT_EQ(stats.offered, 60u);
  EXPECT_EQ(stats.dropped, 0u);
  EXPECT_EQ(stats.faces, 60u);
  EXPECT_EQ(stats.steps, 20u);
  ASSERT_GT(stats.promotions, 0u);
  EXPECT_EQ(heard.updated().size(), stats.promotions);
  EXPECT_EQ(heard.updated().back(), stats.serving_version);
  EXPECT_EQ(learner->slot()->current()->info().version, stats.serving_version);
  EXPECT_NE(stats.serving_version, source);
  EXPECT_FALSE(heard.reports().empty());
  EXPECT_THAT(heard.warnings(), testing::IsEmpty());
}

TEST_F(LearnerTest, IsSharedByAllOfASlot) {
  const auto one = Learner::get("stream-test", settings_);
  EXPECT_EQ(Learner::get("stream-test", settings_), one);
  EXPECT_EQ(ModelSlot::get("stream-test"), one->slot());
  EXPECT_NE(Learner::get("", settings_), one);
}

TEST_F(LearnerTest, DropsTheOldestAndCounts) {
  settings_.queue = 10;
  settings_.max_cpu = 0.001;
  settings_.learning.min_memory = 1;
  const auto learner = Learner::get("", settings_);
  // One step takes its thread longer than the budget of this test.
  feed(*learner, 10);
  while (learner->stats().steps == 0) std::this_thread::sleep_for(1ms);
  for (FaceSample& face : stream_faces(50, 2)) EXPECT_TRUE(learner->offer(std::move(face)));
  const LearnerStats stats = learner->stats();
  EXPECT_EQ(stats.offered, 60u);
  EXPECT_EQ(stats.queued, 10u);
  EXPECT_EQ(stats.dropped, 40u);
}

TEST_F(LearnerTest, TakesNothingWhilePausedAndGoesOnLater) {
  const auto learner = Learner::get("", settings_);
  learner->pause(true);
  EXPECT_TRUE(learner->paused());
  EXPECT_FALSE(learner->offer(stream_faces(1)[0]));
  EXPECT_EQ(learner->stats().dropped, 1u);
  EXPECT_TRUE(learner->stats().paused);
  learner->pause(false);
  feed(*learner, 12);
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_EQ(learner->stats().faces, 12u);
}

TEST_F(LearnerTest, PausesWhereAStepFailsAndSaysWhy) {
  /// Learning wants single precision and has not got it: LibTorch throws.
  class Doubles {
   public:
    Doubles() { c10::set_default_dtype(caffe2::TypeMeta::Make<double>()); }
    ~Doubles() { c10::set_default_dtype(caffe2::TypeMeta::Make<float>()); }
  };
  settings_.checkpoint_dir = dir();
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  ASSERT_TRUE(learner->drain(60s));
  const auto serving = learner->slot()->current();
  {
    const Doubles doubles;
    feed(*learner, 60);
    ASSERT_TRUE(learner->drain(60s));
    EXPECT_TRUE(learner->paused());
    EXPECT_EQ(learner->stats().steps, 0u);
    // Once, however many faces wait.
    ASSERT_EQ(heard.warnings().size(), 1u);
    EXPECT_THAT(heard.warnings()[0], HasSubstr("learning is paused: "));
    EXPECT_THAT(heard.warnings()[0], testing::Not(HasSubstr("\n")));
    EXPECT_EQ(learner->slot()->current(), serving);
  }
  learner->pause(false);
  feed(*learner, 60, 2);
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_GT(learner->stats().steps, 0u);
  EXPECT_EQ(heard.warnings().size(), 1u);
}

TEST_F(LearnerTest, RefusesCropsOfAnotherSize) {
  const auto learner = Learner::get("", settings_);
  FaceSample face;
  face.crop.resize(5);
  EXPECT_FALSE(learner->offer(std::move(face)));
  EXPECT_EQ(learner->stats().offered, 0u);
}

TEST_F(LearnerTest, KeepsItsStateOverARestart) {
  settings_.checkpoint_dir = dir();
  LearnerStats before;
  {
    const auto learner = Learner::get("", settings_);
    feed(*learner, 60);
    ASSERT_TRUE(learner->drain(60s));
    before = learner->stats();
  }
  ASSERT_GT(before.promotions, 0u);
  EXPECT_EQ(read_model_info(dir() / "served.fer").version, before.serving_version);
  const auto learner = Learner::get("", settings_);
  ASSERT_TRUE(learner->drain(60s));
  const LearnerStats after = learner->stats();
  EXPECT_EQ(after.serving_version, before.serving_version);
  EXPECT_EQ(after.steps, before.steps);
  EXPECT_EQ(after.memory, before.memory);
  EXPECT_EQ(after.promotions, before.promotions);
  EXPECT_EQ(learner->slot()->current()->info().version, before.serving_version);
}

TEST_F(LearnerTest, RollsBackAndResets) {
  settings_.checkpoint_dir = dir();
  settings_.learning.guards.canary = false;
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  feed(*learner, 60);
  ASSERT_TRUE(learner->drain(60s));
  ASSERT_EQ(learner->stats().promotions, 2u);
  learner->rollback();
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_EQ(learner->stats().serving_version, heard.updated()[0]);
  EXPECT_EQ(learner->slot()->current()->info().version, heard.updated()[0]);
  EXPECT_EQ(read_model_info(dir() / "served.fer").version, heard.updated()[0]);
  ASSERT_EQ(heard.rolled_back().size(), 1u);
  EXPECT_THAT(heard.rolled_back()[0], HasSubstr("asked for"));
  learner->reset();
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_EQ(learner->slot()->current()->info().version, learner->info().version);
  EXPECT_EQ(learner->stats().memory, 0);
  learner->rollback();
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_THAT(heard.warnings(), testing::ElementsAre(HasSubstr("nothing to roll back")));
}

TEST_F(LearnerTest, LearnsOnWhereItCannotWrite) {
  std::ofstream(folder_.path() / "file") << "in the way";
  settings_.checkpoint_dir = folder_.path() / "file" / "checkpoints";
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  feed(*learner, 60);
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_GT(learner->stats().promotions, 0u);
  EXPECT_NE(learner->slot()->current()->info().version, learner->info().version);
  EXPECT_THAT(heard.warnings(), testing::Contains(HasSubstr("learning goes on")));
}

/// While it lives, no file can grow beyond so many bytes, as on a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit low{bytes, limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &low);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit limit_{};
  void (*before_)(int);
};

TEST_F(LearnerTest, LearnsOnWhereTheDiskIsFullAndLosesNothing) {
  settings_.checkpoint_dir = dir();
  std::uint64_t kept = 0;
  {
    Heard heard;
    const auto learner = Learner::get("", settings_);
    const auto subscription = learner->subscribe(heard.listener());
    feed(*learner, 60);
    ASSERT_TRUE(learner->drain(60s));
    learner->save();
    ASSERT_TRUE(learner->drain(60s));
    kept = learner->stats().steps;
    ASSERT_GT(kept, 0u);
    ASSERT_THAT(heard.warnings(), testing::IsEmpty());
    const FullDisk full(1000);
    feed(*learner, 60, 2);
    ASSERT_TRUE(learner->drain(60s));
    learner->save();
    ASSERT_TRUE(learner->drain(60s));
    EXPECT_GT(learner->stats().steps, kept);
    EXPECT_THAT(heard.warnings(), testing::Contains(HasSubstr("learning goes on")));
  }
  // The last words of the learner found room again; what could not be written left nothing behind.
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  ASSERT_TRUE(learner->drain(60s));  // What was kept is read beside the stream.
  EXPECT_THAT(heard.warnings(), testing::IsEmpty());
  EXPECT_GE(learner->stats().steps, kept);
}

TEST_F(LearnerTest, KeepsNothingWhereAnotherLearnerHasTheFolder) {
  settings_.checkpoint_dir = dir();
  Heard heard;
  {
    const auto first = Learner::get("", settings_);
    feed(*first, 60);
    ASSERT_TRUE(first->drain(60s));
    const auto log = read_learner_log(dir()).size();
    {
      const auto second = Learner::get("", settings_);
      const auto subscription = second->subscribe(heard.listener());
      ASSERT_THAT(heard.warnings(), testing::ElementsAre(HasSubstr(dir().string())));
      EXPECT_THAT(heard.warnings()[0], HasSubstr("nothing is kept"));
      EXPECT_EQ(second->stats().steps, 0u) << "it took the other's entries for its own";
      feed(*second, 60, 2);
      ASSERT_TRUE(second->drain(60s));
      EXPECT_GT(second->stats().promotions, 0u) << "it learns all the same";
    }
    EXPECT_EQ(read_learner_log(dir()).size(), log);
    EXPECT_EQ(read_model_info(dir() / "served.fer").version, first->stats().serving_version);
  }
  Heard after;
  const auto third = Learner::get("", settings_);
  const auto subscription = third->subscribe(after.listener());
  ASSERT_TRUE(third->drain(60s));
  EXPECT_THAT(after.warnings(), testing::IsEmpty());
  EXPECT_GT(third->stats().steps, 0u);
}

TEST_F(LearnerTest, SavesWhatServesWhereTheFolderWasMadeAnew) {
  settings_.checkpoint_dir = dir();
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  feed(*learner, 60);
  ASSERT_TRUE(learner->drain(60s));
  fs::remove_all(dir());
  fs::create_directories(dir());
  learner->save();
  ASSERT_TRUE(learner->drain(60s));
  ASSERT_TRUE(fs::exists(dir() / "served.fer"));
  EXPECT_EQ(read_model_info(dir() / "served.fer").version, learner->stats().serving_version);
  EXPECT_THAT(heard.warnings(), testing::IsEmpty());
}

std::string mode_of(const fs::path& file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0) return "missing";
  char text[8];
  std::snprintf(text, sizeof text, "%04o", found.st_mode & 07777u);
  return text;
}

TEST_F(LearnerTest, KeepsWhatItLearntToItsOwner) {
  settings_.checkpoint_dir = dir();
  {
    const auto learner = Learner::get("", settings_);
    feed(*learner, 60);
    ASSERT_TRUE(learner->drain(60s));
  }
  EXPECT_EQ(mode_of(dir()), "0700");
  int states = 0;
  for (const auto& file : fs::directory_iterator(dir())) {
    if (file.path().extension() != ".state") continue;
    EXPECT_EQ(mode_of(file.path()), "0600") << file.path();
    ++states;
  }
  EXPECT_GT(states, 0);
}

TEST_F(LearnerTest, ForgetsOldFacesThoughNoOtherFollows) {
  settings_.checkpoint_dir = dir();
  settings_.save_interval = 0s;
  settings_.learning.max_sample_age = 1;
  const auto learner = Learner::get("", settings_);
  feed(*learner, 60);
  ASSERT_TRUE(learner->drain(60s));
  const auto remembered_on_disk = [&] {
    int files = 0;
    for (const auto& entry : fs::directory_iterator(dir())) {
      if (entry.path().extension() != ".state") continue;
      files += test::content(entry.path()).find("added_s") != std::string::npos;
    }
    return files;
  };
  for (int i = 0; i < 600 && (learner->stats().memory > 0 || remembered_on_disk() > 0); ++i)
    std::this_thread::sleep_for(50ms);
  EXPECT_EQ(learner->stats().memory, 0u);
  EXPECT_EQ(remembered_on_disk(), 0);
}

TEST_F(LearnerTest, LeavesAFolderOfOtherPeoplesFilesAlone) {
  settings_.checkpoint_dir = dir();
  fs::create_directories(dir());
  std::ofstream(dir() / "served.fer") << "somebody's model";
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  feed(*learner, 60);
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_GT(learner->stats().promotions, 0u) << "it learns all the same";
  EXPECT_THAT(heard.warnings(), testing::ElementsAre(HasSubstr("found served.fer but no")));
  EXPECT_EQ(test::content(dir() / "served.fer"), "somebody's model");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir()), fs::directory_iterator()), 1);
}

TEST_F(LearnerTest, LocksAFolderThatWasMadeAnew) {
  settings_.checkpoint_dir = dir();
  const auto learner = Learner::get("", settings_);
  ASSERT_TRUE(learner->drain(60s));
  fs::remove_all(dir());
  learner->save();
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_THROW(FolderLock(dir(), "test", FolderLock::Children::kNoHold), FolderBusy);
}

/// Reading thousands of labelled faces takes seconds; the stream plays meanwhile.
TEST_F(LearnerTest, TakesFacesBeforeItsLabelledOnesAreRead) {
  const auto learner = Learner::get("", settings_);
  EXPECT_EQ(learner->slot()->current()->info().version, learner->info().version);
  for (FaceSample& face : stream_faces(12)) EXPECT_TRUE(learner->offer(std::move(face)));
  learner->end_of("cam");
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_EQ(learner->stats().faces, 12u);
}

TEST_F(LearnerTest, TakesLabelsOfTheStream) {
  const auto learner = Learner::get("", settings_);
  const auto faces = stream_faces(6);
  for (std::size_t i = 0; i < faces.size(); ++i)
    EXPECT_TRUE(learner->add_label(faces[i], test::tiny_labels()[i % 3]));
  EXPECT_FALSE(learner->add_label(faces[0], "boredom")) << "no class of the model";
  FaceSample odd;
  odd.crop.resize(5);
  EXPECT_FALSE(learner->add_label(odd, test::tiny_labels()[0]));
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_EQ(learner->stats().labels, 6u);
  EXPECT_EQ(learner->stats().faces, 0u) << "they are not learnt from as the stream's";
}

TEST_F(LearnerTest, AsksForLabelsAndAsksNoMoreWhatWasAnswered) {
  const auto learner = Learner::get("", settings_);
  feed(*learner, 12);
  ASSERT_TRUE(learner->drain(60s));
  const auto questions = learner->questions(100).get();
  ASSERT_GE(questions.size(), 3u);
  EXPECT_EQ(questions[0].crop.size(), stream_faces(1)[0].crop.size());
  EXPECT_EQ(questions[0].probabilities.size(), learner->info().labels.size());
  const int remembered = learner->stats().memory;
  EXPECT_TRUE(learner->answer(questions[0], test::tiny_labels()[0]));
  EXPECT_FALSE(learner->answer(questions[1], "boredom")) << "no class of the model";
  learner->answer(questions[1], LabelAnswer::kCannotTell);
  learner->answer(questions[2], LabelAnswer::kNoFace);
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_EQ(learner->stats().labels, 1u);
  EXPECT_EQ(learner->stats().memory, remembered - 2)
      << "what is labelled or no face teaches no more by what the teacher thinks of it";
  for (const LabelQuestion& again : learner->questions(100).get()) {
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NE(again.id, questions[i].id);
  }
  EXPECT_TRUE(learner->questions(100, {"cam"}).get().empty()) << "of a hidden source";
}

TEST_F(LearnerTest, AQuestionThatNobodyCouldTellIsNotAskedAfterARestartEither) {
  settings_.checkpoint_dir = dir();
  settings_.learning.gradient_steps = false;
  settings_.learning.prototypes.enabled = true;
  auto learner = Learner::get("", settings_);
  feed(*learner, 12);
  ASSERT_TRUE(learner->drain(60s));
  const auto before = learner->questions(100).get();
  ASSERT_GE(before.size(), 2u);
  learner->answer(before[0], LabelAnswer::kCannotTell);
  learner.reset();
  learner = Learner::get("", settings_);
  ASSERT_TRUE(learner->drain(60s));
  const auto after = learner->questions(100).get();
  EXPECT_EQ(after.size(), before.size() - 1) << "crops are kept, so that it can ask again";
  for (const LabelQuestion& again : after) EXPECT_NE(again.id, before[0].id);
}

TEST_F(LearnerTest, LabelsThatCameWhileItPausedAreJudgedAfterwards) {
  const auto learner = Learner::get("", settings_);
  learner->pause(true);
  const auto faces = stream_faces(6);
  for (std::size_t i = 0; i < faces.size(); ++i)
    EXPECT_TRUE(learner->add_label(faces[i], test::tiny_labels()[i % 3]));
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_EQ(learner->stats().labels, 6u);
  EXPECT_EQ(learner->stats().decision, "") << "nothing changes while it is paused";
  learner->pause(false);
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_NE(learner->stats().decision, "");
}

TEST_F(LearnerTest, ALabelIsJudgedAtOnceHoweverLittleProcessorItMayTake) {
  settings_.max_cpu = 0.01;
  const auto learner = Learner::get("", settings_);
  feed(*learner, 12);
  ASSERT_TRUE(learner->drain(60s));
  const auto faces = stream_faces(6);
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < faces.size(); ++i)
    EXPECT_TRUE(learner->add_label(faces[i], test::tiny_labels()[i % 3]));
  while (learner->stats().decision.empty() && std::chrono::steady_clock::now() - begun < 30s)
    std::this_thread::sleep_for(5ms);
  EXPECT_NE(learner->stats().decision, "");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s) << "a step's rest would take longer";
}

TEST_F(LearnerTest, LogsEveryDecisionAndGoesOnAfterARestart) {
  settings_.checkpoint_dir = dir();
  LearnerStats before;
  {
    const auto learner = Learner::get("", settings_);
    feed(*learner, 60);
    ASSERT_TRUE(learner->drain(60s));
    before = learner->stats();
  }
  const auto log = read_learner_log(dir());
  ASSERT_GE(log.size(), 4u) << "the beginning, two decisions and the end";
  EXPECT_EQ(log.front()["steps"], 0);
  EXPECT_EQ(log[1]["steps"], 10);
  EXPECT_EQ(
      log[1]["promotions"].get<int>() + log[1]["kept"].get<int>() + log[1]["rollbacks"].get<int>(),
      1);
  EXPECT_EQ(log.back()["steps"], before.steps);
  EXPECT_EQ(log.back()["decision"], before.decision);
  EXPECT_EQ(log.back()["serving_version"], before.serving_version);
  { const auto learner = Learner::get("", settings_); }
  const auto more = read_learner_log(dir());
  ASSERT_EQ(more.size(), log.size() + 2);
  EXPECT_EQ(more.back()["steps"], before.steps);
}

TEST_F(LearnerTest, TellsOnceOfALogThatCannotBeWritten) {
  settings_.checkpoint_dir = dir();
  fs::create_directories(dir() / "log.jsonl");
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  feed(*learner, 60);
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_GT(learner->stats().promotions, 0u);
  EXPECT_THAT(heard.warnings(), testing::ElementsAre(HasSubstr("log.jsonl")));
}

TEST_F(LearnerTest, SkipsATornCheckpoint) {
  settings_.checkpoint_dir = dir();
  {
    const auto learner = Learner::get("", settings_);
    feed(*learner, 60);
    ASSERT_TRUE(learner->drain(60s));
    learner->save();
    ASSERT_TRUE(learner->drain(60s));
  }
  fs::path newest;
  for (const auto& file : fs::directory_iterator(dir()))
    if (file.path().extension() == ".state" && file.path() > newest) newest = file.path();
  fs::resize_file(newest, fs::file_size(newest) / 2);
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_THAT(heard.warnings(), testing::ElementsAre(HasSubstr(newest.filename().string())));
  EXPECT_GT(learner->stats().steps, 0u);
}

TEST_F(LearnerTest, BeginsAnewWhereTheCheckpointIsAnotherModels) {
  settings_.checkpoint_dir = dir();
  {
    const auto learner = Learner::get("", settings_);
    feed(*learner, 60);
    ASSERT_TRUE(learner->drain(60s));
  }
  settings_.source_model = dir() / "served.fer";
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_THAT(heard.warnings(), testing::ElementsAre(HasSubstr("belongs to model")));
  EXPECT_EQ(learner->stats().steps, 0u);
}

TEST_F(LearnerTest, ServesTheSourceWhereLabelledFacesAreMissing) {
  settings_.replay = folder_.path() / "gone.replay";
  Heard heard;
  const auto learner = Learner::get("", settings_);
  const auto subscription = learner->subscribe(heard.listener());
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_THAT(heard.warnings(), testing::ElementsAre(HasSubstr("gone.replay")));
  EXPECT_THAT(learner->stats().reason, HasSubstr("gone.replay"));
  EXPECT_FALSE(learner->offer(stream_faces(1)[0]));
  EXPECT_TRUE(learner->drain(10s));
  EXPECT_EQ(learner->slot()->current()->info().version, learner->info().version);
}

TEST_F(LearnerTest, SaysWhatIsWrongWithItsSettings) {
  settings_.max_cpu = 0;
  EXPECT_THAT(test::error_of([&] { Learner::get("", settings_); }), HasSubstr("max-cpu"));
  settings_.max_cpu = 1;
  settings_.learning.batch = 0;
  EXPECT_THAT(test::error_of([&] { Learner::get("", settings_); }), HasSubstr("batch"));
  settings_.learning.batch = 12;
  settings_.learning.device = "gpu";
  EXPECT_THAT(test::error_of([&] { Learner::get("", settings_); }), HasSubstr("device \"gpu\""));
  settings_.learning.device = "auto";
  settings_.source_model = folder_.path() / "no.fer";
  EXPECT_THAT(test::error_of([&] { Learner::get("", settings_); }), HasSubstr("no.fer"));
}

TEST_F(LearnerTest, TellsNobodyWhoseSubscriptionEnded) {
  Heard heard;
  const auto learner = Learner::get("", settings_);
  { const auto subscription = learner->subscribe(heard.listener()); }
  feed(*learner, 60);
  ASSERT_TRUE(learner->drain(60s));
  EXPECT_GT(learner->stats().promotions, 0u);
  EXPECT_TRUE(heard.updated().empty());
  EXPECT_TRUE(heard.reports().empty());
}

/// For the thread sanitizer: streams that feed, look and ask, while learners come and go.
TEST_F(LearnerTest, ServesManyStreamsAtOnce) {
  settings_.queue = 20;
  settings_.checkpoint_dir = dir();
  Heard heard;
  auto learner = Learner::get("stream-many", settings_);
  std::vector<std::thread> streams;
  for (int s = 0; s < 4; ++s) {
    streams.emplace_back([&, s] {
      const auto mine = Learner::get("stream-many", settings_);
      const auto subscription = mine->subscribe(heard.listener());
      const std::string name = "cam" + std::to_string(s);
      for (FaceSample& face : stream_faces(60, static_cast<std::uint64_t>(s))) {
        face.source = name;
        mine->offer(std::move(face));
        mine->stats();
        mine->slot()->current();
      }
      mine->end_of(name);
      if (s == 1) mine->save();
      if (s == 2) mine->rollback();
      if (s == 3) mine->set_max_cpu(8);
    });
  }
  for (std::thread& stream : streams) stream.join();
  ASSERT_TRUE(learner->drain(120s));
  const LearnerStats stats = learner->stats();
  EXPECT_EQ(stats.offered, 240u);
  EXPECT_EQ(stats.faces + stats.dropped, 240u);
  EXPECT_EQ(stats.queued, 0u);
}

}  // namespace
}  // namespace fer
