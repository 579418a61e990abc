#include "program/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "error_of.h"

namespace fer {
namespace {

using testing::HasSubstr;

TEST(Findings, GoFromOneProgramToTheOtherAsTheyAre) {
  const Findings findings{{Verdict::kGood, "LibTorch", "1.13.0, 2 threads", ""},
                          {Verdict::kNote, "CUDA", "no driver", ""},
                          {Verdict::kWarning, "oneDNN", "none", "install it"},
                          {Verdict::kFault, "GStreamer", "\"quoted\"\n", "apt-get install"}};
  const Findings again = parse_findings(findings_json(findings).dump());
  ASSERT_EQ(again.size(), findings.size());
  for (std::size_t i = 0; i < findings.size(); ++i) {
    EXPECT_EQ(again[i].verdict, findings[i].verdict);
    EXPECT_EQ(again[i].what, findings[i].what);
    EXPECT_EQ(again[i].found, findings[i].found);
    EXPECT_EQ(again[i].remedy, findings[i].remedy);
  }
}

TEST(Findings, TextOfAnotherKindIsRefused) {
  for (const char* text : {"", "a crash", "[{\"what\": \"LibTorch\"}]", "[1]"}) {
    EXPECT_THAT(test::error_of([&] { parse_findings(text); }), HasSubstr("list of findings"))
        << text;
  }
}

}  // namespace
}  // namespace fer
