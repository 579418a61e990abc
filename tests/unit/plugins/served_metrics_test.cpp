#include "served-metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "error_of.h"
#include "scrape.h"

namespace fer {
namespace {

using namespace test;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

const std::string kAny = "127.0.0.1:0";

ServedMetrics::Collect counting(double value) {
  return [value] {
    Metrics metrics;
    metrics.counter("fer_test_total", "What it is", value);
    return metrics;
  };
}

MetricLabels named(const std::string& element) {
  return {{"element", element}};
}

std::string refusal(const std::string& address, const std::string& name = "one") {
  return error_of([&] { ServedMetrics(address, "FerTest", named(name), counting(1)); });
}

TEST(ServedMetrics, SayWhatIsCollected) {
  const ServedMetrics served(kAny, "FerTest", {{"element", "a \"b\""}, {"slot", "cam"}}, [] {
    Metrics metrics;
    metrics.counter("fer_faces_total", "Faces", 12345678901);
    metrics.gauge("fer_share_ratio", "Share", 0.25, {{"class", "fear"}});
    metrics.gauge("fer_share_ratio", "Share", -1.5, {{"class", "anger"}});
    metrics.summary("fer_run_seconds", "Time", 0.125, 3);
    metrics.announce(Metric::Kind::kCounter, "fer_none_total", "Nothing yet");
    return metrics;
  });
  const Scraped scraped(scrape(served.url()));
  const std::string labels = "element=\"a \\\"b\\\"\",slot=\"cam\"";
  EXPECT_EQ(scraped.values.at("fer_faces_total{" + labels + "}"), 12345678901);
  EXPECT_EQ(scraped.values.at("fer_share_ratio{" + labels + ",class=\"fear\"}"), 0.25);
  EXPECT_EQ(scraped.values.at("fer_share_ratio{" + labels + ",class=\"anger\"}"), -1.5);
  EXPECT_EQ(scraped.values.at("fer_run_seconds_sum{" + labels + "}"), 0.125);
  EXPECT_EQ(scraped.values.at("fer_run_seconds_count{" + labels + "}"), 3);
  EXPECT_EQ(scraped.types.at("fer_faces_total"), "counter");
  EXPECT_EQ(scraped.types.at("fer_share_ratio"), "gauge");
  EXPECT_EQ(scraped.types.at("fer_run_seconds"), "summary");
  EXPECT_EQ(scraped.types.at("fer_none_total"), "counter");
  EXPECT_EQ(scraped.helps.at("fer_faces_total"), "Faces");
}

TEST(ServedMetrics, AskAnewAtEachScrape) {
  std::atomic<int> asked = 0;
  const ServedMetrics served(kAny, "FerTest", named("one"), [&] { return counting(++asked)(); });
  EXPECT_EQ(asked, 0);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(Scraped(scrape(served.url())).values.at("fer_test_total{element=\"one\"}"), i);
  }
}

TEST(ServedMetrics, ShareTheServerOfTheirAddress) {
  const ServedMetrics one(kAny, "FerTest", named("one"), counting(1));
  const ServedMetrics two(kAny, "FerTest", named("two"), counting(2));
  // By the port that was taken, too.
  const ServedMetrics three("127.0.0.1:" + std::to_string(port_of(one.url())), "FerTest",
                            named("three"), counting(3));
  EXPECT_EQ(two.url(), one.url());
  EXPECT_EQ(three.url(), one.url());
  const Scraped scraped(scrape(one.url()));  // In which each name stands once.
  EXPECT_EQ(scraped.values.at("fer_test_total{element=\"one\"}"), 1);
  EXPECT_EQ(scraped.values.at("fer_test_total{element=\"two\"}"), 2);
  EXPECT_EQ(scraped.values.at("fer_test_total{element=\"three\"}"), 3);
}

TEST(ServedMetrics, LeaveTheServerToTheOthersAndStopItInTheEnd) {
  auto one = std::make_optional<ServedMetrics>(kAny, "FerTest", named("one"), counting(1));
  const std::string url = one->url();
  {
    const ServedMetrics two(url.substr(7, url.rfind('/') - 7), "FerTest", named("two"),
                            counting(2));
    one.reset();
    EXPECT_THAT(scrape(url), HasSubstr("element=\"two\""));
    EXPECT_THAT(scrape(url), Not(HasSubstr("element=\"one\"")));
  }
  EXPECT_THAT(error_of([&] { scrape(url); }), HasSubstr("nobody listens"));
  // The address is free again at once.
  const ServedMetrics again("127.0.0.1:" + std::to_string(port_of(url)), "FerTest", named("one"),
                            counting(4));
  EXPECT_THAT(scrape(url), HasSubstr("fer_test_total{element=\"one\"} 4"));
}

TEST(ServedMetrics, RefuseWhatIsNoAddress) {
  for (const char* address :
       {"", "9464", ":9464", "localhost", "localhost:", "localhost:http", "localhost:-1",
        "localhost:65536", "localhost:9464s", "127.0.0.1:9464,127.0.0.1:9465", "+127.0.0.1:80",
        "http://127.0.0.1:9464", "::1:9464", "[::1]", "[::1:9464", "127.0.0.1:9464 "}) {
    EXPECT_THAT(refusal(address), HasSubstr("not host:port")) << address;
  }
}

TEST(ServedMetrics, SayWhyNobodyCanListen) {
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&where), size), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  ASSERT_EQ(getsockname(taken, reinterpret_cast<sockaddr*>(&where), &size), 0);
  const std::string address = "127.0.0.1:" + std::to_string(ntohs(where.sin_port));
  EXPECT_THAT(refusal(address), HasSubstr("in use"));
  close(taken);
  EXPECT_THAT(refusal(address), IsEmpty());
}

TEST(ServedMetrics, RefuseASecondOfTheSameName) {
  auto one = std::make_optional<ServedMetrics>(kAny, "FerTest", named("one"), counting(1));
  EXPECT_THAT(refusal(kAny), AllOf(HasSubstr("FerTest \"one\""), HasSubstr("another name")));
  EXPECT_THAT(scrape(one->url()), HasSubstr("fer_test_total{element=\"one\"} 1"));
  // Of another type its metrics have other names.
  const ServedMetrics other(kAny, "FerOther", named("one"), [] {
    Metrics metrics;
    metrics.counter("fer_other_total", "What it is", 5);
    return metrics;
  });
  one.reset();
  EXPECT_THAT(refusal(kAny), IsEmpty());
}

TEST(ServedMetrics, LeaveOutWhatThrows) {
  const ServedMetrics bad(kAny, "FerTest", named("bad"),
                          []() -> Metrics { throw std::runtime_error("broken"); });
  const ServedMetrics good(kAny, "FerTest", named("good"), counting(1));
  const Scraped scraped(scrape(good.url()));
  EXPECT_EQ(scraped.values.at("fer_test_total{element=\"good\"}"), 1);
  EXPECT_THAT(scrape(good.url()), Not(HasSubstr("bad")));
}

TEST(ServedMetrics, AreNotAskedOnceTheyAreGone) {
  const ServedMetrics stays(kAny, "FerTest", named("stays"), counting(1));
  std::atomic<bool> done = false;
  std::jthread scraper([&] {
    while (!done) scrape(stays.url());
  });
  std::atomic<int> asked = 0;
  for (int i = 0; i < 300; ++i) {
    auto alive = std::make_unique<std::atomic<bool>>(true);
    std::optional<ServedMetrics> goes(std::in_place, kAny, "FerTest", named("goes"),
                                      [&asked, flag = alive.get()] {
                                        ++asked;
                                        // A look at memory that is gone is what sanitizers see.
                                        EXPECT_TRUE(*flag);
                                        return counting(2)();
                                      });
    if (i % 3 == 0) scrape(stays.url());
    goes.reset();
    *alive = false;
  }
  done = true;
  EXPECT_GE(asked, 100);
}

TEST(ServedMetrics, StopWhileSomebodyHoldsAConnectionAndIsSilent) {
  std::optional<ServedMetrics> served(std::in_place, kAny, "FerTest", named("one"), counting(1));
  const Connection silent(port_of(served->url()));
  EXPECT_THAT(scrape(served->url()), HasSubstr("fer_test_total")) << "it holds up the others";
  served.reset();
}

TEST(ServedMetrics, AnswerWhoAsksForTheirHealth) {
  const ServedMetrics served(kAny, "FerTest", named("one"), counting(1));
  for (const char* path : {"/health", "/healthz"}) {
    EXPECT_THAT(answer_of(served.url(), path), AllOf(HasSubstr(" 200 "), EndsWith("ok\n"))) << path;
  }
  EXPECT_THAT(answer_of(served.url(), "/"), AllOf(HasSubstr(" 200 "), HasSubstr("metrics")));
  EXPECT_THAT(answer_of(served.url(), "/else"), HasSubstr(" 404 "));
  EXPECT_THAT(answer_of(served.url(), "/metrics"),
              HasSubstr("Content-Type: text/plain; version=0.0.4"));
}

TEST(ServedMetrics, AreOfferedByIpv6) {
  const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const bool possible =
      bind(probe, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
  close(probe);
  if (!possible) GTEST_SKIP() << "this machine has no IPv6";
  const ServedMetrics served("[::1]:0", "FerTest", named("one"), counting(1));
  EXPECT_THAT(served.url(), MatchesRegex("http://\\[::1\\]:[0-9]+/metrics"));
  EXPECT_THAT(scrape(served.url()), HasSubstr("fer_test_total"));
}

std::chrono::milliseconds time_to_scrape(const std::string& url) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(scrape(url), HasSubstr("fer_test_total"));
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               before);
}

TEST(ServedMetrics, AreNotHeldUpByOthers) {
  std::optional<ServedMetrics> served(std::in_place, kAny, "FerTest", named("one"), counting(1));
  const int port = port_of(served->url());
  // More than there are threads: silent ones, and those who say a letter now and then.
  std::vector<Connection> others;
  std::atomic<bool> done = false;
  for (int i = 0; i < 350; ++i) others.emplace_back(port);
  std::jthread slow([&] {
    while (!done) {
      for (std::size_t i = 0; i < others.size(); i += 2) others[i].say("G");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  for (int i = 0; i < 3; ++i) EXPECT_LT(time_to_scrape(served->url()).count(), 1000);
  const auto before = std::chrono::steady_clock::now();
  served.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2))
      << "they hold up the end";
  done = true;
}

TEST(ServedMetrics, EndAConnectionThatSaysALetterNowAndThen) {
  const ServedMetrics served(kAny, "FerTest", named("one"), counting(1));
  const Connection slow(port_of(served.url()));
  std::atomic<bool> over = false;
  std::jthread talking([&] {
    while (!over) {
      slow.say("G");
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  const auto before = std::chrono::steady_clock::now();
  slow.ask("");  // until the server closes
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  over = true;
}

}  // namespace
}  // namespace fer
