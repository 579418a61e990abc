// What stands between streams and clients: one picture, bounded queues, bounded threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "cameras/backoff.h"
#include "cameras/expression_timeline.h"
#include "cameras/latest_picture.h"
#include "cameras/rate_gate.h"
#include "page/bounded_workers.h"
#include "page/event_hub.h"

namespace fer {
namespace {

using namespace std::chrono_literals;

TEST(LatestPicture, WhoIsSlowMissesPicturesAndGetsTheNewest) {
  LatestPicture picture;
  picture.put("one");
  picture.put("two");
  const auto seen = picture.next(0, 0ms);
  ASSERT_TRUE(seen.jpeg);
  EXPECT_EQ(*seen.jpeg, "two");
  EXPECT_FALSE(picture.next(seen.number, 1ms).jpeg);
  picture.put("three");
  EXPECT_EQ(*picture.next(seen.number, 0ms).jpeg, "three");
}

TEST(LatestPicture, AnOldPictureIsNotTakenForWhatACameraThatStoppedShows) {
  LatestPicture picture;
  picture.put("one");
  picture.clear();
  EXPECT_FALSE(picture.next(0, 0ms).jpeg);
}

TEST(LatestPicture, OneThatIsClosedEndsAllWaiting) {
  LatestPicture picture;
  std::thread closer([&] { picture.close(); });
  EXPECT_TRUE(picture.next(0, 10s).closed);
  closer.join();
}

TEST(LatestPicture, IsWatchedAsLongAsSomebodyLooks) {
  const auto picture = std::make_shared<LatestPicture>();
  EXPECT_FALSE(picture->watched());
  {
    const LatestPicture::Viewer one(picture);
    LatestPicture::Viewer two(picture);
    const LatestPicture::Viewer moved(std::move(two));
    EXPECT_TRUE(picture->watched());
  }
  EXPECT_FALSE(picture->watched());
}

TEST(EventHub, WhoDoesNotReadLosesTheOldestAndNobodyWaits) {
  EventHub hub;
  EXPECT_FALSE(hub.listened());
  const auto slow = hub.subscribe();
  EXPECT_TRUE(hub.listened());
  for (std::size_t i = 0; i < EventHub::kQueue + 3; ++i) hub.publish("n", std::to_string(i));
  EXPECT_EQ(slow->lost(), 3u);
  EXPECT_EQ(slow->next(0ms), "event: n\ndata: 3\n\n");
}

TEST(EventHub, AnEventReachesAllAndThoseThatWentAreForgotten) {
  EventHub hub;
  const auto stays = hub.subscribe();
  hub.subscribe().reset();
  hub.publish("a", "1");
  EXPECT_EQ(stays->next(0ms), "event: a\ndata: 1\n\n");
  EXPECT_EQ(stays->next(1ms), std::nullopt);
}

TEST(BoundedWorkers, WhoComesBeyondTheirNumberWaits) {
  BoundedWorkers workers(2);
  std::atomic<bool> go{false};
  std::atomic<int> taken{0}, done{0};
  std::thread clients([&] {
    for (int i = 0; i < 5; ++i) {
      workers.enqueue([&] {
        while (!go) std::this_thread::sleep_for(1ms);
        ++done;
      });
      ++taken;
    }
  });
  while (taken < 2) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(taken, 2);
  go = true;
  clients.join();
  workers.shutdown();
  EXPECT_EQ(done, 5);
}

TEST(BoundedWorkers, AReleaseLetsWhoWaitsGoOn) {
  BoundedWorkers workers(1);
  std::atomic<bool> go{false};
  workers.enqueue([&] {
    while (!go) std::this_thread::sleep_for(1ms);
  });
  std::thread waits([&] { workers.enqueue([] {}); });
  workers.release();
  waits.join();
  go = true;
  workers.shutdown();
}

TEST(RateGate, ThinsByTheFramesOwnTimes) {
  const auto passed = [](double rate, double every, int frames) {
    RateGate gate(rate);
    int count = 0;
    for (int i = 0; i < frames; ++i)
      count += gate.passes(static_cast<std::int64_t>(i * every * 1e9)) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(passed(0, 0.04, 100), 100);
  EXPECT_EQ(passed(5, 0.05, 100), 25);
  EXPECT_NEAR(passed(10, 1.0 / 15, 150), 100, 2);
  EXPECT_EQ(passed(30, 0.1, 50), 50) << "slower streams pass whole";
}

TEST(RateGate, ASeekBeginsAnew) {
  RateGate gate(1);
  EXPECT_TRUE(gate.passes(100'000'000'000));
  EXPECT_FALSE(gate.passes(100'500'000'000));
  EXPECT_TRUE(gate.passes(0)) << "back to the beginning";
  EXPECT_TRUE(gate.passes(500'000'000'000)) << "far ahead";
}

TEST(Backoff, PausesDoubleUpToTheLastAndBeginAnewAfterAnHourOfRest) {
  Backoff backoff(1, 5);
  EXPECT_EQ(backoff.after(0), 1);
  EXPECT_EQ(backoff.after(10), 2);
  EXPECT_EQ(backoff.after(0), 4);
  EXPECT_EQ(backoff.after(0), 5);
  EXPECT_EQ(backoff.after(0), 5);
  EXPECT_EQ(backoff.after(3600), 1);
}

const std::vector<std::string> kLabels{"calm", "glad"};

TEST(ExpressionTimeline, ASecondIsTheMeanOfItsFramesByPerson) {
  ExpressionTimeline timeline;
  timeline.add(10, kLabels, {{1, {1.f, 0.f}, true}, {2, {0.f, 1.f}, false}});
  timeline.add(10, kLabels, {{1, {0.f, 1.f}, true}});
  EXPECT_TRUE(timeline.seconds(0, 10).empty()) << "the second is not over";
  const auto seconds = timeline.seconds(0, 11);
  ASSERT_EQ(seconds.size(), 1u);
  ASSERT_EQ(seconds[0].persons.size(), 2u);
  EXPECT_EQ(seconds[0].time_s, 10);
  EXPECT_THAT(seconds[0].persons[0].mean, testing::ElementsAre(.5f, .5f));
  EXPECT_TRUE(seconds[0].persons[0].unsure);
  EXPECT_THAT(timeline.counts().seconds, testing::ElementsAre(1, 1));
  EXPECT_EQ(timeline.counts().persons, 2u);
  EXPECT_TRUE(timeline.seconds(10, 11).empty()) << "only what is new";
}

TEST(ExpressionTimeline, HoldsNoMoreThanItsBounds) {
  ExpressionTimeline timeline;
  const auto extra = static_cast<std::int64_t>(ExpressionTimeline::kSeconds) + 5;
  for (std::int64_t s = 1; s <= extra; ++s) {
    std::vector<SeenExpression> crowd;
    for (std::uint64_t id = 1; id <= 2 * ExpressionTimeline::kPersons; ++id)
      crowd.push_back({id, {1.f, 0.f}, false});
    timeline.add(s, kLabels, crowd);
  }
  const auto seconds = timeline.seconds(0, extra + 1);
  EXPECT_EQ(seconds.size(), ExpressionTimeline::kSeconds);
  EXPECT_EQ(seconds.back().persons.size(), ExpressionTimeline::kPersons);
}

TEST(ExpressionTimeline, FacesWithoutAnExpressionCountAsPersonsAlone) {
  ExpressionTimeline timeline;
  timeline.add(5, {}, {{1, {}, false}});
  EXPECT_TRUE(timeline.seconds(0, 9).empty());
  EXPECT_EQ(timeline.counts().persons, 1u);
  timeline.restart();
  timeline.add(6, {}, {{1, {}, false}});
  EXPECT_EQ(timeline.counts().persons, 2u) << "track numbers begin anew with the pipeline";
}

}  // namespace
}  // namespace fer
