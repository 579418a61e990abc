#include "stats-table.h"

#include <gtest/gtest.h>

#include "element_test.h"

namespace fer {
namespace {

using test::StructurePtr;

struct Stats {
  guint64 frames = 7;
  guint64 runs = 4;
  GstClockTime total = 6 * GST_SECOND;
  GstClockTime last = 2 * GST_SECOND;
  bool on = true;
  std::string engine = "an engine";
  std::map<std::string, std::uint64_t> by_gate{{"small", 2}, {"blurred", 3}};
};

StatsTable<Stats> table() {
  StatsTable<Stats> rows("some-stats");
  rows.text(&Stats::engine, "engine", "What computes");
  rows.counter(&Stats::frames, {"frames", "fer_x_frames_total", "Frames that passed", {}});
  rows.gauge(&Stats::on, {"on", "fer_x_on", "Whether it is on", {}});
  rows.mean_time(&Stats::total, &Stats::runs,
                 {"average-time", "fer_x_seconds", "Time of runs", {}});
  rows.last_time(&Stats::last, {"last-time", "fer_x_last_seconds", "Time of the last run", {}});
  rows.counts_by_name(&Stats::by_gate, "gate", {"refused", "fer_x_refused_total", "Refusals", {}});
  rows.info("fer_x_info", "Always 1", [](const Stats& stats) {
    return MetricLabels{{"engine", stats.engine}};
  });
  return rows;
}

TEST(StatsTable, GivesTheStructureOfEveryRowWithAField) {
  const StructurePtr structure(table().structure(Stats()));
  const StructurePtr expected(gst_structure_from_string(
      "some-stats, engine=(string)\"an engine\", frames=(guint64)7, on=(boolean)true, "
      "average-time=(guint64)1500000000, last-time=(guint64)2000000000, "
      "refused=(structure)[refused, blurred=(guint64)3, small=(guint64)2;]",
      nullptr));
  ASSERT_TRUE(expected);
  EXPECT_TRUE(gst_structure_is_equal(structure.get(), expected.get()));
}

TEST(StatsTable, NamesAnotherStructureForAMessage) {
  const StructurePtr structure(table().structure(Stats(), "a-report"));
  EXPECT_STREQ(gst_structure_get_name(structure.get()), "a-report");
}

TEST(StatsTable, HasNoMeanOfNoRuns) {
  Stats stats;
  stats.runs = 0;
  const StructurePtr structure(table().structure(stats));
  guint64 mean = 1;
  ASSERT_TRUE(gst_structure_get_uint64(structure.get(), "average-time", &mean));
  EXPECT_EQ(mean, 0u);
}

TEST(StatsTable, GivesTheMetricOfEveryRowWithOne) {
  const auto& all = table().metrics(Stats());
  ASSERT_EQ(all.all().size(), 6u);  // A text has none.
  const Metric& frames = all.all()[0];
  EXPECT_EQ(frames.kind, Metric::Kind::kCounter);
  EXPECT_EQ(frames.name, "fer_x_frames_total");
  EXPECT_EQ(frames.help, "Frames that passed");
  EXPECT_EQ(frames.samples.at(0).value, 7);
  EXPECT_EQ(all.all()[1].samples.at(0).value, 1);
  EXPECT_EQ(all.all()[2].kind, Metric::Kind::kSummary);
  EXPECT_EQ(all.all()[2].samples.at(0).value, 6);
  EXPECT_EQ(all.all()[2].samples.at(0).count, 4u);
  EXPECT_EQ(all.all()[3].samples.at(0).value, 2);
  EXPECT_EQ(all.all()[4].samples.at(0).labels, (MetricLabels{{"gate", "blurred"}}));
  EXPECT_EQ(all.all()[4].samples.at(0).value, 3);
  EXPECT_EQ(all.all()[5].samples.at(0).labels, (MetricLabels{{"engine", "an engine"}}));
}

TEST(StatsTable, ExplainsItsFields) {
  EXPECT_EQ(table().blurb(),
            "Since the start: engine (what computes), frames (frames that passed), on (whether it "
            "is on), average-time (time of runs; mean, nanoseconds), last-time (time of the last "
            "run; nanoseconds), refused (refusals)");
}

}  // namespace
}  // namespace fer
