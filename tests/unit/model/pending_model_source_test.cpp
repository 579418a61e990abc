#include "model/pending_model_source.h"

#include <gtest/gtest.h>

#include <optional>

namespace fer {
namespace {

ModelSlot::Source source(const char* path) {
  ModelSlot::Source source;
  source.path = path;
  return source;
}

/// The path that was named for the slot; empty where none was.
std::string named(const char* slot) {
  const auto found = PendingModelSource::of(slot);
  return found ? found->path.string() : "";
}

TEST(PendingModelSource, IsFoundByItsSlot) {
  PendingModelSource mine;
  mine.set("pending", source("a.fer"));
  EXPECT_EQ(named("pending"), "a.fer");
  EXPECT_EQ(named("other"), "");
}

TEST(PendingModelSource, IsTheEarliestOfSeveral) {
  std::optional<PendingModelSource> first(std::in_place);
  PendingModelSource second;
  first->set("pending", source("a.fer"));
  second.set("pending", source("b.fer"));
  EXPECT_EQ(named("pending"), "a.fer");
  first.reset();
  EXPECT_EQ(named("pending"), "b.fer") << "the first has gone";
}

TEST(PendingModelSource, NamesOneSlotAtATime) {
  PendingModelSource mine;
  mine.set("before", source("a.fer"));
  mine.set("after", source("a.fer"));
  EXPECT_EQ(named("before"), "");
  EXPECT_EQ(named("after"), "a.fer");
}

TEST(PendingModelSource, NamesNothingWithoutSlotOrPath) {
  PendingModelSource mine;
  mine.set("pending", source("a.fer"));
  mine.set("pending", {});
  EXPECT_EQ(named("pending"), "");
  mine.set("", source("a.fer"));
  EXPECT_EQ(named(""), "");
}

}  // namespace
}  // namespace fer
