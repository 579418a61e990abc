#include "network/light_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"

namespace fer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(LightHead, CutsTheNetworkAndAddsABlock) {
  const NetworkConfig fernet = network_preset("fernet");  // Depths 1, 2, 2.
  const NetworkConfig light = light_head_above(fernet, 2, 64);
  EXPECT_EQ(light.name, "fernet-light");
  EXPECT_THAT(light.widths, ElementsAre(48, 96, 64));
  EXPECT_THAT(light.depths, ElementsAre(1, 1, 1));
  EXPECT_THAT(light.strides, ElementsAre(2, 2, 1));
  EXPECT_EQ(light.attention_branches, 0);
  EXPECT_EQ(light.input_size, fernet.input_size);
  EXPECT_THAT(light_head_above(fernet, 0, 8).depths, ElementsAre(1));
}

TEST(LightHead, NeedsTheBlocksBelow) {
  EXPECT_THAT(test::error_of([] { light_head_above(network_preset("fernet"), 6, 8); }),
              testing::AllOf(HasSubstr("expected 6"), HasSubstr("found 5")));
}

}  // namespace
}  // namespace fer
