#include "util/shared_by_name.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

TEST(SharedByName, GivesOneThingPerNameWhileSomebodyHoldsIt) {
  SharedByName<int> things;
  int made = 0;
  const auto make = [&] { return std::make_shared<int>(++made); };
  auto first = things.get("house", make);
  EXPECT_EQ(things.get("house", make), first);
  EXPECT_NE(things.get("yard", make), first);
  first.reset();
  EXPECT_EQ(*things.get("house", make), 3) << "nobody held it, so that another is made";
}

TEST(SharedByName, AnEmptyNameIsSharedWithNobody) {
  SharedByName<int> things;
  const auto make = [] { return std::make_shared<int>(1); };
  const auto one = things.get("", make);
  EXPECT_NE(things.get("", make), one);
}

}  // namespace
}  // namespace fer
