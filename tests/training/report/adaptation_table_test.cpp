#include "report/adaptation_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using json = nlohmann::ordered_json;
using testing::HasSubstr;

json run_of(const char* variant, const char* order, double after, double worst, double source) {
  return {{"variant", variant},
          {"order", order},
          {"seed", 1},
          {"target_before", 0.56},
          {"target_after", after},
          {"target_worst", worst},
          {"source_before", 0.85},
          {"source_after", source},
          {"promotions", 4},
          {"target_accuracy_before", 0.87},
          {"target_accuracy_after", after + 0.25},
          {"rollbacks", json()}};
}

TEST(AdaptationTable, HasARowAVariantAndTheGainOrderByOrder) {
  const json results{
      {"about", "E9, a trial."},
      {"budget", {{"split", "stream"}, {"reuse", 4}}},
      {"runs",
       {run_of("ours", "persons", 0.62, 0.56, 0.85), run_of("ours", "classes", 0.60, 0.55, 0.84),
        run_of("tent", "persons", 0.40, 0.30, 0.60)}}};
  const std::string text = adaptation_markdown(results);
  EXPECT_THAT(text, HasSubstr("E9, a trial."));
  EXPECT_THAT(text, HasSubstr("split stream, reuse 4. 3 runs, 2 a row"));
  EXPECT_THAT(
      text, HasSubstr("macro recall is 56.0 % (accuracy 87.0 %) and the source's accuracy 85.0 %"));
  EXPECT_THAT(
      text, HasSubstr("| variant | macro recall after | gain | accuracy after | change | at worst "
                      "| source accuracy after | change | promoted | rolled back |\n"));
  EXPECT_THAT(text,
              HasSubstr("| ours | 61.0 ± 1.4 | +5.0 ± 1.4 | 86.0 ± 1.4 | -1.0 ± 1.4 | -0.5 ± 0.7 "
                        "| 84.5 ± 0.7 | -0.5 ± 0.7 | 4.0 ± 0.0 | – |\n"));
  EXPECT_THAT(text, HasSubstr("| tent | 40.0 ± 0.0 (n = 1) | -16.0 ± 0.0 (n = 1) |"));
  EXPECT_THAT(text, HasSubstr("| variant | persons | classes |\n"));
  EXPECT_THAT(text, HasSubstr("| ours | +6.0 ± 0.0 | +4.0 ± 0.0 |\n"));
  EXPECT_THAT(text, HasSubstr("| tent | -16.0 ± 0.0 | – |\n"));
}

}  // namespace
}  // namespace fer
