#include "element-util.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "element_test.h"
#include "locked.h"

namespace fer {
namespace {

using namespace test;
using testing::HasSubstr;

TEST(EnumType, IsRegisteredOnceByName) {
  static const GEnumValue values[] = {
      {0, "First of two", "first"}, {1, "Second of two", "second"}, {0, nullptr, nullptr}};
  const GType type = enum_type("FerTestEnum", values);
  EXPECT_EQ(enum_type("FerTestEnum", values), type);
  EXPECT_TRUE(G_TYPE_IS_ENUM(type));
  auto* klass = static_cast<GEnumClass*>(g_type_class_ref(type));
  EXPECT_STREQ(g_enum_get_value(klass, 1)->value_nick, "second");
  g_type_class_unref(klass);
}

TEST(EnumType, MayBeAskedForByManyThreads) {
  static const GEnumValue values[] = {{0, "Only", "only"}, {0, nullptr, nullptr}};
  std::vector<GType> types(8);
  std::vector<std::thread> threads;
  for (GType& type : types) {
    threads.emplace_back([&type] { type = enum_type("FerTestEnumOfManyThreads", values); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(types, testing::Each(types[0]));
  EXPECT_NE(types[0], G_TYPE_INVALID);
}

class WithElement : public testing::Test {
 protected:
  ElementPtr element_ = make_element("identity");
  Messages messages_{element_.get()};
};

using Guarded = WithElement;

TEST_F(Guarded, ReturnsWhatTheBodyReturns) {
  EXPECT_EQ(guarded(element_.get(), -1, [] { return 7; }), 7);
  EXPECT_EQ(messages_.count(GST_MESSAGE_ERROR), 0);
}

TEST_F(Guarded, TurnsAnExceptionIntoAnElementError) {
  EXPECT_EQ(
      guarded(element_.get(), -1, []() -> int { throw std::runtime_error("the disk is full"); }),
      -1);
  const MessagePtr error = messages_.wait(GST_MESSAGE_ERROR, 0);
  ASSERT_TRUE(error);
  EXPECT_THAT(message_text(error.get()), HasSubstr("the disk is full"));
}

TEST_F(Guarded, StopsWhatIsNoStandardException) {
  EXPECT_EQ(guarded(element_.get(), -1, []() -> int { throw 3; }), -1);
  EXPECT_TRUE(messages_.wait(GST_MESSAGE_ERROR, 0));
}

TEST(WarningLimiter, AdmitsTheFirstAndCountsTheRest) {
  WarningLimiter limiter;
  EXPECT_EQ(limiter.admit(), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.admit(), std::nullopt);
  limiter.reset();
  EXPECT_EQ(limiter.admit(), 0u) << "what was kept back before the reset is forgotten";
}

using WarnLimited = WithElement;

TEST_F(WarnLimited, PostsOneOfMany) {
  WarningLimiter limiter;
  for (int i = 0; i < 10; ++i) warn_limited(element_.get(), limiter, "no broker");
  const MessagePtr warning = messages_.wait(GST_MESSAGE_WARNING, 0);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("no broker"));
  EXPECT_EQ(messages_.count(GST_MESSAGE_WARNING), 0);
}

TEST(Locked, KeepsThreadsApart) {
  Locked<int> counter(0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10000; ++k) counter.with([](int& value) { ++value; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.copy(), 40000);
}

TEST(Locked, ReturnsWhatTheBodyReturns) {
  Locked<std::string> text("abc");
  EXPECT_EQ(text.with([](std::string& value) { return value.size(); }), 3u);
  text.with([](std::string& value) { value += "d"; });
  EXPECT_EQ(text.copy(), "abcd");
}

}  // namespace
}  // namespace fer
