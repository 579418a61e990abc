#include "model/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace fer {
namespace {

TEST(Labels, AreFerPlussInItsOrder) {
  EXPECT_THAT(ferplus_labels(), testing::ElementsAre("neutral", "happiness", "surprise", "sadness",
                                                     "anger", "disgust", "fear", "contempt"));
}

TEST(Labels, NameThemselves) {
  for (const std::string& label : ferplus_labels()) EXPECT_EQ(canonical_label(label), label);
}

TEST(Labels, HaveAliasesInAnyCase) {
  EXPECT_EQ(canonical_label("happy"), "happiness");
  EXPECT_EQ(canonical_label("Happy"), "happiness");
  EXPECT_EQ(canonical_label("JOY"), "happiness");
  EXPECT_EQ(canonical_label(" sad\n"), "sadness");
  EXPECT_EQ(canonical_label("angry"), "anger");
  EXPECT_EQ(canonical_label("disgusted"), "disgust");
  EXPECT_EQ(canonical_label("fearful"), "fear");
  EXPECT_EQ(canonical_label("surprised"), "surprise");
  EXPECT_EQ(canonical_label("contemptuous"), "contempt");
  EXPECT_EQ(canonical_label("calm"), "neutral");
}

TEST(Labels, AreNotGuessed) {
  for (const char* name : {"", " ", "unknown", "happ", "happyy", "NF", "7", "glücklich"}) {
    EXPECT_EQ(canonical_label(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace fer
