#include "publisher.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "scoped.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using test::ScopedFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Longer than any test takes that passes.
constexpr auto kForever = 60s;

FrameRecord numbered(std::uint64_t number) {
  FrameRecord record;
  record.timestamp = number;
  return record;
}

std::uint64_t number_of(const std::string& line) {
  return nlohmann::json::parse(line)["timestamp"];
}

/// What a sink was given, and how it shall behave; shared with the test, since the publisher owns
/// the sink.
struct Script {
  std::mutex mutex;
  std::vector<std::uint64_t> numbers;
  std::vector<std::thread::id> threads;
  std::atomic<bool> ready{true}, settled{true};
  std::atomic<int> failures{0};  ///< How many of the next writes fail.
};

class ScriptedSink : public LineSink {
 public:
  explicit ScriptedSink(std::shared_ptr<Script> script) : script_(std::move(script)) {}

  bool wait_ready(const std::stop_token&) override {
    if (!script_->ready) std::this_thread::sleep_for(1ms);
    return script_->ready;
  }
  void write(const std::string& line, const std::stop_token&) override {
    if (script_->failures > 0) {
      --script_->failures;
      throw std::runtime_error("It does not work.");
    }
    const std::lock_guard lock(script_->mutex);
    script_->numbers.push_back(number_of(line));
    script_->threads.push_back(std::this_thread::get_id());
  }
  bool connected() const override { return script_->ready; }
  bool settled() const override { return script_->settled; }

 private:
  std::shared_ptr<Script> script_;
};

class PublisherTest : public testing::Test {
 protected:
  std::unique_ptr<Publisher> publish_to(std::unique_ptr<LineSink> sink,
                                        std::size_t max_queue = 100) {
    return std::make_unique<Publisher>(std::move(sink), max_queue,
                                       [this](const std::string& fault) {
                                         const std::lock_guard lock(mutex_);
                                         faults_.push_back(fault);
                                       });
  }
  std::unique_ptr<Publisher> publish(std::size_t max_queue = 100) {
    return publish_to(std::make_unique<ScriptedSink>(script_), max_queue);
  }
  std::vector<std::string> faults() {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

  std::shared_ptr<Script> script_ = std::make_shared<Script>();

 private:
  std::mutex mutex_;
  std::vector<std::string> faults_;
};

TEST_F(PublisherTest, WritesInOrderOnAThreadOfItsOwn) {
  const auto publisher = publish(1000);
  for (std::uint64_t i = 0; i < 500; ++i) EXPECT_TRUE(publisher->push(numbered(i)));
  EXPECT_TRUE(publisher->finish(kForever));
  ASSERT_THAT(script_->numbers, SizeIs(500));
  for (std::uint64_t i = 0; i < 500; ++i) EXPECT_EQ(script_->numbers[i], i);
  EXPECT_NE(script_->threads[0], std::this_thread::get_id());
  const Publisher::Stats stats = publisher->stats();
  EXPECT_EQ(stats.published, 500u);
  EXPECT_EQ(stats.dropped, 0u);
  EXPECT_EQ(stats.queued, 0u);
  EXPECT_GT(stats.bytes, 500 * to_json(numbered(0)).size());
  EXPECT_TRUE(stats.connected);
}

TEST_F(PublisherTest, DropsTheOldestWhileTheSinkIsNotReady) {
  script_->ready = false;
  const auto publisher = publish(3);
  int dropping = 0;
  for (std::uint64_t i = 0; i < 10; ++i) dropping += publisher->push(numbered(i)) ? 0 : 1;
  EXPECT_EQ(dropping, 7);
  Publisher::Stats stats = publisher->stats();
  EXPECT_EQ(stats.dropped, 7u);
  EXPECT_EQ(stats.queued, 3u);
  EXPECT_FALSE(stats.connected);
  EXPECT_FALSE(publisher->finish(1ms));
  script_->ready = true;
  EXPECT_TRUE(publisher->finish(kForever));
  EXPECT_THAT(script_->numbers, ElementsAre(7, 8, 9));
}

TEST_F(PublisherTest, ASmallerQueueDropsAtOnce) {
  script_->ready = false;
  const auto publisher = publish(10);
  for (std::uint64_t i = 0; i < 10; ++i) publisher->push(numbered(i));
  publisher->set_max_queue(2);
  EXPECT_EQ(publisher->stats().dropped, 8u);
  publisher->set_max_queue(0);
  EXPECT_EQ(publisher->stats().queued, 1u) << "no queue at all could not publish";
}

TEST_F(PublisherTest, CarriesOnAfterFaults) {
  script_->failures = 2;
  const auto publisher = publish();
  for (std::uint64_t i = 0; i < 5; ++i) publisher->push(numbered(i));
  EXPECT_TRUE(publisher->finish(kForever));
  EXPECT_THAT(script_->numbers, ElementsAre(2, 3, 4));
  EXPECT_EQ(publisher->stats().dropped, 2u);
  EXPECT_EQ(publisher->stats().published, 3u);
  EXPECT_THAT(faults(), ElementsAre("It does not work.", "It does not work."));
}

TEST_F(PublisherTest, FinishWaitsUntilTheSinkHasSettled) {
  script_->settled = false;
  const auto publisher = publish();
  publisher->push(numbered(0));
  auto finished = std::async(std::launch::async, [&] { return publisher->finish(kForever); });
  while (publisher->stats().published == 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(finished.wait_for(30ms), std::future_status::timeout);
  script_->settled = true;
  EXPECT_TRUE(finished.get());
}

TEST_F(PublisherTest, InterruptionEndsFinish) {
  script_->ready = false;
  const auto publisher = publish();
  publisher->push(numbered(0));
  auto finished = std::async(std::launch::async, [&] { return publisher->finish(kForever); });
  EXPECT_EQ(finished.wait_for(30ms), std::future_status::timeout);
  publisher->interrupt(true);
  EXPECT_FALSE(finished.get());
  EXPECT_FALSE(publisher->finish(kForever)) << "and goes on";
  publisher->interrupt(false);
  script_->ready = true;
  EXPECT_TRUE(publisher->finish(kForever));
}

// --- Files.

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST_F(PublisherTest, WritesAFileLineByLine) {
  const ScopedFolder folder;
  const auto path = folder.write("lines", "what was there\n");
  {
    const auto publisher = publish_to(open_file_sink(path, false));
    for (std::uint64_t i = 0; i < 3; ++i) publisher->push(numbered(i));
    EXPECT_TRUE(publisher->finish(kForever));
    EXPECT_THAT(lines_of(path),
                ElementsAre(to_json(numbered(0)), to_json(numbered(1)), to_json(numbered(2))));
  }
  const auto publisher = publish_to(open_file_sink(path, true));
  publisher->push(numbered(3));
  EXPECT_TRUE(publisher->finish(kForever));
  EXPECT_THAT(lines_of(path), SizeIs(4));
  EXPECT_EQ(number_of(lines_of(path)[3]), 3u);
}

TEST_F(PublisherTest, SaysWhichFileCannotBeOpened) {
  const auto open = [](const std::string& path) -> std::string {
    try {
      open_file_sink(path, false);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(open("/no/such/folder/file"),
              testing::AllOf(HasSubstr("/no/such/folder/file"), HasSubstr("No such file")));
  const ScopedFolder folder;
  EXPECT_THAT(open(folder.path().string()), HasSubstr("Is a directory"));
}

TEST_F(PublisherTest, AFullDiskLosesLinesButNotTheFile) {
  // The limit makes the kernel end a write in the middle of a line, as a full disk does.
  const ScopedFolder folder;
  const auto path = folder.path() / "lines";
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const std::size_t line = to_json(numbered(10)).size() + 1;
  rlimit limit = before;
  limit.rlim_cur = 2 * line + line / 2;
  setrlimit(RLIMIT_FSIZE, &limit);
  {
    const auto publisher = publish_to(open_file_sink(path, false));
    for (std::uint64_t i = 10; i < 15; ++i) publisher->push(numbered(i));
    EXPECT_TRUE(publisher->finish(kForever));
    EXPECT_EQ(publisher->stats().dropped, 3u);
    setrlimit(RLIMIT_FSIZE, &before);  // somebody made room
    publisher->push(numbered(20));
    EXPECT_TRUE(publisher->finish(kForever));
  }
  signal(SIGXFSZ, handler);
  const auto lines = lines_of(path);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(number_of(lines[1]), 11u);
  EXPECT_EQ(number_of(lines[2]), 20u);
  ASSERT_THAT(faults(), SizeIs(3));
  EXPECT_THAT(faults()[0], testing::AllOf(HasSubstr(path.string()), HasSubstr("File too large")));
}

TEST_F(PublisherTest, AFullDeviceIsAFault) {
  const auto publisher = publish_to(open_file_sink("/dev/full", false));
  publisher->push(numbered(0));
  EXPECT_TRUE(publisher->finish(kForever));
  EXPECT_EQ(publisher->stats().dropped, 1u);
  ASSERT_THAT(faults(), SizeIs(1));
  EXPECT_THAT(faults()[0], testing::AllOf(HasSubstr("/dev/full"), HasSubstr("No space left")));
}

class FifoTest : public PublisherTest {
 protected:
  FifoTest() : path_(folder_.path() / "fifo") { mkfifo(path_.c_str(), 0600); }

  /// Reads that many lines.
  static std::vector<std::uint64_t> read(std::istream& reader, std::size_t count) {
    std::vector<std::uint64_t> numbers;
    for (std::string line; numbers.size() < count && std::getline(reader, line);) {
      numbers.push_back(number_of(line));
    }
    return numbers;
  }

  const ScopedFolder folder_;
  const std::filesystem::path path_;
};

TEST_F(FifoTest, WaitsForItsReader) {
  const auto publisher = publish_to(open_file_sink(path_, false), 4);
  for (std::uint64_t i = 0; i < 20; ++i) publisher->push(numbered(i));
  EXPECT_FALSE(publisher->stats().connected);
  EXPECT_EQ(publisher->stats().dropped, 16u);
  std::ifstream reader(path_);
  EXPECT_THAT(read(reader, 4), ElementsAre(16, 17, 18, 19));
  EXPECT_TRUE(publisher->finish(kForever));
  EXPECT_TRUE(publisher->stats().connected);
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(FifoTest, SurvivesTheLossOfItsReader) {
  const auto publisher = publish_to(open_file_sink(path_, false));
  publisher->push(numbered(0));
  {
    std::ifstream reader(path_);
    EXPECT_THAT(read(reader, 1), ElementsAre(0));
  }
  publisher->push(numbered(1));  // nobody reads it
  while (faults().empty()) std::this_thread::sleep_for(1ms);
  EXPECT_THAT(faults()[0], testing::AllOf(HasSubstr(path_.string()), HasSubstr("reader")));
  EXPECT_EQ(publisher->stats().reconnects, 0u);
  publisher->push(numbered(2));
  std::ifstream reader(path_);
  EXPECT_THAT(read(reader, 1), ElementsAre(2));
  EXPECT_EQ(publisher->stats().reconnects, 1u);
}

TEST_F(FifoTest, EndsWhileAReaderDoesNotRead) {
  const int reader = open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  {
    const auto publisher = publish_to(open_file_sink(path_, false), 100000);
    FrameRecord long_record = numbered(0);
    FaceRecord face;
    face.w = face.h = 1;
    long_record.faces.assign(100, face);  // some 20 kB, so that a FIFO takes a few only
    for (int i = 0; i < 100; ++i) publisher->push(long_record);
    EXPECT_FALSE(publisher->finish(100ms));
    EXPECT_LT(publisher->stats().published, 20u);
  }
  close(reader);
}

TEST_F(PublisherTest, WritesToStandardOutput) {
  const ScopedFolder folder;
  const auto path = folder.write("out", "");
  const int kept = dup(STDOUT_FILENO);
  const int file = open(path.c_str(), O_WRONLY);
  dup2(file, STDOUT_FILENO);
  {
    const auto publisher = publish_to(open_stdout_sink());
    for (std::uint64_t i = 0; i < 3; ++i) publisher->push(numbered(i));
    EXPECT_TRUE(publisher->finish(kForever));
  }
  EXPECT_GE(fcntl(STDOUT_FILENO, F_GETFD), 0) << "standard output is left open";
  dup2(kept, STDOUT_FILENO);
  close(file);
  close(kept);
  EXPECT_THAT(lines_of(path), SizeIs(3));
}

}  // namespace
}  // namespace fer
