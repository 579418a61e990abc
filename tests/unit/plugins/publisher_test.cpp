#include "publisher.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using namespace std::chrono_literals;
using test::error_of;
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

class RecordFileTest : public PublisherTest {
 protected:
  void open(bool append = false) { publisher_ = publish_to(open_file_sink(path_, append)); }
  void write(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) publisher_->push(numbered(i));
    EXPECT_TRUE(publisher_->finish(kForever));
  }
  /// The numbers of the lines; fails where something else is in the file.
  static std::vector<std::uint64_t> numbers_in(const std::filesystem::path& path) {
    std::vector<std::uint64_t> numbers;
    for (const std::string& line : lines_of(path)) numbers.push_back(number_of(line));
    return numbers;
  }
  /// Runs logrotate with one more directive; false where there is none.
  bool rotate(const std::string& directive) const {
#ifdef LOGROTATE
    const auto config = folder_.write("logrotate.conf",
                                      path_.string() + " {\n  rotate 3\n  " + directive + "\n}\n");
    chmod(config.c_str(), 0644);
    const std::string command = std::string(LOGROTATE) + " --force --state " +
                                (folder_.path() / "state").string() + " " + config.string();
    EXPECT_EQ(std::system(command.c_str()), 0);
    return true;
#else
    (void)directive;
    return false;
#endif
  }

  const ScopedFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "lines";
  const std::filesystem::path rotated_ = folder_.path() / "lines.1";
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(RecordFileTest, AFileThatWasMovedIsOpenedAnew) {
  open();
  write(0, 3);
  std::filesystem::rename(path_, rotated_);
  write(3, 5);
  EXPECT_THAT(numbers_in(rotated_), ElementsAre(0, 1, 2));
  EXPECT_THAT(numbers_in(path_), ElementsAre(3, 4));
  EXPECT_EQ(publisher_->stats().reconnects, 1u);
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(RecordFileTest, AFileThatWasRemovedIsMadeAnew) {
  open();
  write(0, 2);
  std::filesystem::remove(path_);
  write(2, 4);
  EXPECT_THAT(numbers_in(path_), ElementsAre(2, 3));
}

TEST_F(RecordFileTest, WhatWasPutInItsPlaceIsCarriedOn) {
  open();
  write(0, 2);
  std::filesystem::rename(path_, rotated_);
  folder_.write("lines", to_json(numbered(100)) + "\n");
  write(2, 4);
  EXPECT_THAT(numbers_in(path_), ElementsAre(100, 2, 3));
}

TEST_F(RecordFileTest, ATruncatedFileGoesOnWithoutNulBytes) {
  open();
  write(0, 3);
  std::filesystem::resize_file(path_, 0);
  write(3, 5);
  EXPECT_THAT(numbers_in(path_), ElementsAre(3, 4));
}

TEST_F(RecordFileTest, LogrotateMovesAndCreates) {
  open();
  write(0, 3);
  if (!rotate("create 0640")) GTEST_SKIP() << "there is no logrotate";
  write(3, 5);
  EXPECT_THAT(numbers_in(rotated_), ElementsAre(0, 1, 2));
  EXPECT_THAT(numbers_in(path_), ElementsAre(3, 4));
}

TEST_F(RecordFileTest, LogrotateCopiesAndTruncates) {
  open();
  write(0, 3);
  if (!rotate("copytruncate")) GTEST_SKIP() << "there is no logrotate";
  write(3, 5);
  EXPECT_THAT(numbers_in(rotated_), ElementsAre(0, 1, 2));
  EXPECT_THAT(numbers_in(path_), ElementsAre(3, 4));
}

TEST_F(RecordFileTest, WhereItCannotBeOpenedAnewTheOldOneGoesOn) {
  open();
  write(0, 2);
  std::filesystem::rename(path_, rotated_);
  std::filesystem::create_directory(path_);
  write(2, 4);
  EXPECT_THAT(numbers_in(rotated_), ElementsAre(0, 1, 2, 3));
  ASSERT_FALSE(faults().empty());
  EXPECT_THAT(faults()[0], testing::AllOf(HasSubstr(path_.string()), HasSubstr("opened anew")));
  EXPECT_EQ(publisher_->stats().dropped, 0u);
}

TEST_F(RecordFileTest, IsReadByOwnerAndGroupAlone) {
  const mode_t before = umask(0);
  open();
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST_F(PublisherTest, APipeWithoutAReaderHasEnded) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto publisher = publish_to(open_descriptor_sink(ends[1]));
  publisher->push(numbered(0));
  EXPECT_TRUE(publisher->finish(kForever));
  EXPECT_FALSE(publisher->ended());
  close(ends[0]);
  publisher->push(numbered(1));
  publisher->finish(kForever);
  EXPECT_TRUE(publisher->ended());
  EXPECT_THAT(faults(), IsEmpty()) << "who reads no more has what was wanted";
  EXPECT_EQ(publisher->stats().published, 1u);
  close(ends[1]);
}

TEST_F(PublisherTest, APipeEndsThoughNothingIsWritten) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto publisher = publish_to(open_descriptor_sink(ends[1]));
  close(ends[0]);
  for (int i = 0; i < 500 && !publisher->ended(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(publisher->ended());
  close(ends[1]);
}

TEST_F(PublisherTest, SaysWhichDescriptorIsNotOpen) {
  EXPECT_THAT(error_of([] { open_descriptor_sink(987); }),
              testing::AllOf(HasSubstr("987"), HasSubstr("Bad file descriptor")));
  const int reading = open("/dev/null", O_RDONLY);
  EXPECT_THAT(error_of([&] { open_descriptor_sink(reading); }), HasSubstr("not open for writing"));
  close(reading);
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
    const auto publisher = publish_to(open_descriptor_sink(STDOUT_FILENO));
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
