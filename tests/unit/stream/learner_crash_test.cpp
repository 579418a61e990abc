// Learners that are killed at any moment: what they had kept is whole, and learning goes on from
// it. FER_KILLS says how often (docs/explanation/results.md: 200).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "network/model_file.h"
#include "stream/checkpoint_ring.h"
#include "stream/learner.h"
#include "tiny_learner.h"
#include "util/random.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr char kLearn[] = "--learn-until-killed";

/// What the killed process does: tells what it begins with, learns and keeps what it learnt without
/// end.
[[noreturn]] void learn_until_killed(const fs::path& model, const fs::path& labelled,
                                     const fs::path& folder, std::uint64_t seed) {
  Learner::Settings settings;
  settings.source_model = model;
  settings.replay = settings.canary = labelled;
  settings.checkpoint_dir = folder;
  settings.learning = test::tiny_online_config();
  settings.learning.canary_interval = 2;
  settings.max_cpu = 16;
  settings.idle_priority = false;
  settings.save_interval = 0s;
  const auto learner = Learner::get("", settings);
  // What was kept is read on the learner's thread; no step comes in between.
  learner->pause(true);
  learner->drain(60s);
  const LearnerStats began = learner->stats();
  learner->pause(false);
  std::printf("%llu %d %llu %s\n", static_cast<unsigned long long>(began.steps), began.memory,
              static_cast<unsigned long long>(began.warnings), began.serving_version.c_str());
  std::fflush(stdout);
  for (;; ++seed) {
    for (FaceSample& face : test::stream_faces(12, seed)) learner->offer(std::move(face));
    learner->end_of("cam");
    learner->drain(60s);
  }
}

/// What a learner says of itself as it begins.
struct Began {
  unsigned long long steps = 0, warnings = 0;
  int memory = -1;  ///< Where it said nothing.
  std::string serving;
};

class Child {
 public:
  explicit Child(const std::vector<std::string>& words) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const int failed =
        ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ::fdopen(ends[0], "r");
    if (failed != 0) throw std::runtime_error("cannot start a learner");
  }
  ~Child() {
    kill();
    std::fclose(out_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Began began() const {
    Began b;
    char serving[64] = "";
    if (std::fscanf(out_, "%llu %d %llu %63s", &b.steps, &b.memory, &b.warnings, serving) != 4)
      b.memory = -1;
    b.serving = serving;
    return b;
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  FILE* out_ = nullptr;
};

TEST(LearnerCrash, LosesNothingThatWasKeptWheneverItIsKilled) {
  const char* wanted = std::getenv("FER_KILLS");
  const int kills = wanted ? std::atoi(wanted) : 8;
  const test::TinySource& source = test::TinySource::get();
  const test::ScopedFolder scratch;
  const fs::path folder = scratch.path() / "learnt";
  const std::string first = read_model_info(source.model()).version;
  Random random(static_cast<std::uint64_t>(kills));
  std::uint64_t steps = 0, memory = 0;
  int went_on = 0;
  for (int i = 0; i < kills; ++i) {
    Child child(
        {"learner", kLearn, source.model(), source.packed(), folder, std::to_string(1 + i * 1000)});
    const Began began = child.began();
    ASSERT_GE(began.memory, 0) << "it did not begin";
    // All that was whole before is taken up again, with nothing to warn of.
    ASSERT_EQ(began.warnings, 0u);
    ASSERT_EQ(began.steps, steps);
    ASSERT_EQ(static_cast<std::uint64_t>(began.memory), memory);
    went_on += steps > 0;
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(400'000)));
    child.kill();

    std::vector<std::string> warnings;
    const auto kept = CheckpointRing(folder, 5).newest(
        /*good_only=*/false, [&](const std::string& warning) { warnings.push_back(warning); });
    ASSERT_THAT(warnings, testing::IsEmpty());
    if (!kept) continue;
    const auto now = kept->state.state.at("counts").at("steps").get<std::uint64_t>();
    ASSERT_GE(now, steps);
    steps = now;
    memory = kept->state.state.at("items").size();
    if (fs::exists(folder / "served.fer")) {
      const ModelFile served = read_model(folder / "served.fer");
      EXPECT_TRUE(served.info.version == first || served.info.parent == first);
    }
  }
  EXPECT_GT(went_on, kills / 2);
  std::printf("%d kills, %llu steps survived\n", kills, static_cast<unsigned long long>(steps));
}

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  if (argc == 6 && std::string(argv[1]) == fer::kLearn)
    fer::learn_until_killed(argv[2], argv[3], argv[4], std::strtoull(argv[5], nullptr, 10));
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
