#include "model/model_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <mutex>
#include <vector>

#include "network/model_file.h"
#include "scoped.h"
#include "unit/model/model_support.h"
#include "unit/model/wait_for.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using test::RandomModel;
using test::tiny_config;
using test::wait_for;
using testing::ElementsAre;
using testing::HasSubstr;

class Watcher : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "model.fer"; }
  std::string write(std::uint64_t seed) const {
    return RandomModel(tiny_config(), seed).write(path());
  }

  std::unique_ptr<ModelWatcher> watch(FileStamp known, std::chrono::milliseconds interval = 5ms) {
    return std::make_unique<ModelWatcher>(
        ModelWatcher::Options{path(), known, Precision::kFp32, "cpu", interval},
        [this](std::shared_ptr<const Classifier> model) {
          const std::lock_guard lock(mutex_);
          versions_.push_back(model->info().version);
        },
        [this](const std::string& error) {
          const std::lock_guard lock(mutex_);
          errors_.push_back(error);
        });
  }
  std::vector<std::string> versions() {
    const std::lock_guard lock(mutex_);
    return versions_;
  }
  std::vector<std::string> errors() {
    const std::lock_guard lock(mutex_);
    return errors_;
  }
  bool comes(const std::string& version) {
    return wait_for([&] { return !versions().empty() && versions().back() == version; });
  }

  test::ScopedFolder folder_;

 private:
  std::mutex mutex_;
  std::vector<std::string> versions_, errors_;  ///< Guarded by mutex_.
};

TEST_F(Watcher, LeavesWhatServesAlone) {
  write(1);
  const auto watcher = watch(FileStamp::of(path()));
  std::this_thread::sleep_for(60ms);
  EXPECT_THAT(versions(), testing::IsEmpty());
  EXPECT_THAT(errors(), testing::IsEmpty());
}

TEST_F(Watcher, OpensWhatReplacesTheFile) {
  write(1);
  const auto watcher = watch(FileStamp::of(path()));
  const std::string second = write(2);
  EXPECT_TRUE(comes(second));
  const std::string third = write(3);
  EXPECT_TRUE(comes(third));
  EXPECT_THAT(versions(), ElementsAre(second, third));
}

TEST_F(Watcher, OpensWhatCameBeforeItBegan) {
  write(1);
  const FileStamp known = FileStamp::of(path());
  const std::string second = write(2);
  const auto watcher = watch(known);
  EXPECT_TRUE(comes(second));
}

TEST_F(Watcher, ReportsABrokenFileOnce) {
  write(1);
  const auto watcher = watch(FileStamp::of(path()));
  folder_.write("model.fer", "nonsense, and longer than eight bytes");
  EXPECT_TRUE(wait_for([&] { return !errors().empty(); }));
  std::this_thread::sleep_for(60ms);
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("model.fer")));
  const std::string second = write(2);
  EXPECT_TRUE(comes(second));
}

TEST_F(Watcher, BearsThatTheFileIsGone) {
  write(1);
  const auto watcher = watch(FileStamp::of(path()));
  std::filesystem::remove(path());
  std::this_thread::sleep_for(40ms);
  EXPECT_THAT(errors(), testing::IsEmpty());
  const std::string second = write(2);
  EXPECT_TRUE(comes(second));
}

TEST_F(Watcher, WaitsForAFileThatIsStillWritten) {
  write(1);
  const std::string whole = [&] {
    RandomModel(tiny_config(), 2).write(folder_.path() / "second");
    std::ifstream in(folder_.path() / "second", std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  }();
  const auto watcher = watch(FileStamp::of(path()), 100ms);
  {
    // In place, piece by piece, as cp and scp write.
    std::ofstream out(path(), std::ios::binary);
    for (std::size_t at = 0; at < whole.size(); at += whole.size() / 20 + 1) {
      out << whole.substr(at, whole.size() / 20 + 1) << std::flush;
      std::this_thread::sleep_for(15ms);
    }
  }
  EXPECT_TRUE(wait_for([&] { return !versions().empty(); }));
  EXPECT_THAT(errors(), testing::IsEmpty());
}

TEST_F(Watcher, StopsAtOnce) {
  write(1);
  auto watcher = watch(FileStamp::of(path()), 1h);
  watcher.reset();  // else this test takes an hour
  EXPECT_THAT(versions(), testing::IsEmpty());
}

}  // namespace
}  // namespace fer
