// What the elements serve at metrics-address, against their `stats` and the documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "data/tiny_dataset.h"
#include "element_test.h"
#include "error_of.h"
#include "made_up_faces.h"
#include "model/model_info.h"
#include "scoped.h"
#include "scrape.h"
#include "unit/model/wait_for.h"

namespace fer {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kAny = "127.0.0.1:0";
const cv::Size kSize(320, 240);

const cv::Mat& picture() {
  static const cv::Mat made = varied_picture(kSize, {81, 61});
  return made;
}

/// A model that knows the tiny dataset, and that dataset. Made once.
struct Source {
  Source() : model(train_tiny_model(folder.path())) {
    write_packed(data, tiny_info(), tiny_rows(30));
  }
  ScopedFolder folder;
  std::filesystem::path data = folder.path() / "labelled.packed";
  std::filesystem::path model;
};
const Source& source() {
  static const Source made;
  return made;
}

class MetricsTest : public testing::Test {
 protected:
  /// What an element of this factory needs to run.
  Properties needs(const std::string& factory) const {
    const std::string model = source().model.string(), data = source().data.string();
    if (factory == "ferinfer") return {{"model", model}, {"model-slot", "metrics-test"}};
    if (factory == "ferlearn") {
      return {{"source-model", model},
              {"replay", data},
              {"canary", data},
              {"model-slot", "metrics-test"},
              {"sample-interval", "0"}};
    }
    if (factory == "ferpublish") return {{"location", (folder_.path() / "records").string()}};
    return {};
  }

  std::unique_ptr<Harness> play(const std::string& factory, const std::string& address = kAny) {
    Properties properties = needs(factory);
    if (!address.empty()) properties.emplace_back("metrics-address", address);
    auto harness = std::make_unique<Harness>(make_element(factory, properties));
    harness->set_caps(video_caps("I420", kSize.width, kSize.height));
    return harness;
  }

  /// Passes frames with so many faces each, whose tracks go on.
  static void show(Harness& harness, int frames, int faces = 2) {
    std::vector<FaceRecord> records;
    for (int i = 0; i < faces; ++i) {
      records.push_back(face_at(0.1 + 0.4 * i, 0.2, 0.3, 0.4, static_cast<guint64>(i) + 1));
    }
    for (int i = 0; i < frames; ++i) {
      EXPECT_EQ(harness.push(with_faces(make_frame(picture(), "I420", Layout::kPacked, i),
                                        video_info("I420", kSize.width, kSize.height), records)),
                GST_FLOW_OK);
      EXPECT_TRUE(harness.try_pull());
    }
  }

  /// A frame whose pixels are not there.
  static void show_broken(Harness& harness) {
    BufferPtr cut =
        with_faces(make_frame(picture(), "I420"), video_info("I420", kSize.width, kSize.height),
                   {face_at(0.2, 0.2, 0.4, 0.4, 77)});
    gst_buffer_resize(cut.get(), 0, 1000);
    EXPECT_EQ(harness.push(std::move(cut)), GST_FLOW_OK);
    EXPECT_TRUE(harness.try_pull());
  }

  static std::string url(const Harness& harness) {
    return property<std::string>(harness.element(), "metrics-url");
  }

  /// The sample of a metric of the element with its own labels alone.
  static double sample(const Harness& harness, const std::string& metric, bool in_slot) {
    const Scraped scraped(scrape(url(harness)));
    gchar* name = gst_element_get_name(harness.element());
    const std::string key =
        metric + "{element=\"" + name + "\"" + (in_slot ? ",slot=\"metrics-test\"" : "") + "}";
    g_free(name);
    const auto found = scraped.values.find(key);
    EXPECT_NE(found, scraped.values.end()) << key;
    return found == scraped.values.end() ? -1 : found->second;
  }

  /// Metric → field of `stats`.
  using Same = std::map<std::string, std::string>;
  static void expect_same(const Harness& harness, const Same& same, bool in_slot) {
    for (const auto& [metric, field] : same) {
      // What runs beside may go on between two looks; in the end they agree.
      EXPECT_TRUE(wait_for([&, metric = metric, field = field] {
        return sample(harness, metric, in_slot) == stat(harness.element(), field.c_str());
      })) << metric
          << " is not the same as " << field;
    }
  }

  ScopedFolder folder_;
};

TEST_F(MetricsTest, AreNotServedUnlessAskedFor) {
  for (const char* factory : {"ferdetect", "ferinfer", "ferlearn", "ferpublish"}) {
    const auto harness = play(factory, "");
    EXPECT_EQ(property<std::string>(harness->element(), "metrics-address"), "") << factory;
    EXPECT_EQ(url(*harness), "") << factory;
  }
}

#ifdef HAVE_METRICS

TEST_F(MetricsTest, OfFerdetectAreItsStats) {
  const auto harness = play("ferdetect");
  show(*harness, 7);
  show_broken(*harness);
  EXPECT_EQ(stat(harness->element(), "frames"), 8);
  EXPECT_EQ(stat(harness->element(), "failed"), 1);
  expect_same(*harness,
              {{"fer_detect_frames_total", "frames"},
               {"fer_detect_detections_total", "detections"},
               {"fer_detect_run_seconds_count", "detections"},
               {"fer_detect_skipped_total", "skipped"},
               {"fer_detect_failed_total", "failed"},
               {"fer_detect_faces_total", "faces"},
               {"fer_detect_tracks_total", "tracks"}},
              false);
  EXPECT_NEAR(sample(*harness, "fer_detect_run_seconds_sum", false) / 7 * 1e9,
              stat(harness->element(), "average-detect-time").value_or(0), 1);
  EXPECT_NEAR(sample(*harness, "fer_detect_last_run_seconds", false) * 1e9,
              stat(harness->element(), "last-detect-time").value_or(0), 1);
}

TEST_F(MetricsTest, OfFerinferAreItsStats) {
  const auto harness = play("ferinfer");
  show(*harness, 12);
  show_broken(*harness);
  EXPECT_EQ(stat(harness->element(), "inferences"), 6);  // Each of two on every fifth frame.
  EXPECT_EQ(stat(harness->element(), "cached"), 18);
  EXPECT_EQ(stat(harness->element(), "failed"), 1);
  // Ages 0 to 4, again, and 0 and 1.
  EXPECT_DOUBLE_EQ(stat(harness->element(), "average-age").value_or(0), 21. / 12);
  expect_same(*harness,
              {{"fer_infer_frames_total", "frames"},
               {"fer_infer_faces_total", "faces"},
               {"fer_infer_inferences_total", "inferences"},
               {"fer_infer_cached_total", "cached"},
               {"fer_infer_skipped_total", "skipped"},
               {"fer_infer_failed_total", "failed"},
               {"fer_infer_batches_total", "batches"},
               {"fer_infer_swaps_total", "swaps"},
               {"fer_infer_load_errors_total", "load-errors"}},
              true);
  EXPECT_EQ(sample(*harness, "fer_infer_run_seconds_count", true), 3);
  EXPECT_EQ(sample(*harness, "fer_infer_result_age_frames_sum", true), 42);
  EXPECT_EQ(sample(*harness, "fer_infer_result_age_frames_count", true), 24);
  EXPECT_NEAR(sample(*harness, "fer_infer_run_seconds_sum", true) / 3 * 1e9,
              stat(harness->element(), "average-inference-time").value_or(0), 1);
  EXPECT_NEAR(sample(*harness, "fer_infer_last_run_seconds", true) * 1e9,
              stat(harness->element(), "last-inference-time").value_or(0), 1);
  EXPECT_THAT(scrape(url(*harness)),
              HasSubstr("version=\"" + read_model_info(source().model).version + "\""));
}

TEST_F(MetricsTest, OfFerlearnAreItsStats) {
  const auto harness = play("ferlearn");
  show(*harness, 9);
  show_broken(*harness);
  EXPECT_EQ(stat(harness->element(), "sampled"), 18);
  EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "queued") == 0; }));
  expect_same(*harness,
              {{"fer_learn_frames_total", "frames"},
               {"fer_learn_faces_total", "faces"},
               {"fer_learn_sampled_total", "sampled"},
               {"fer_learn_failed_total", "failed"},
               {"fer_learn_offered_total", "offered"},
               {"fer_learn_dropped_total", "dropped"},
               {"fer_learn_queued_faces", "queued"},
               {"fer_learn_passed_total", "passed"},
               {"fer_learn_tracklets_total", "tracklets"},
               {"fer_learn_memory_tracklets", "memory"},
               {"fer_learn_memory_capacity_tracklets", "memory-capacity"},
               {"fer_learn_steps_total", "steps"},
               {"fer_learn_rate", "learning-rate"}},
              true);
  const std::string body = scrape(url(*harness));
  for (const std::string& label : tiny_labels()) {
    EXPECT_THAT(body, HasSubstr("slot=\"metrics-test\",class=\"" + label + "\"}"));
  }
  EXPECT_EQ(sample(*harness, "fer_learn_paused", true), 0);
  g_object_set(harness->element(), "paused", TRUE, nullptr);
  EXPECT_EQ(sample(*harness, "fer_learn_paused", true), 1);
}

TEST_F(MetricsTest, OfFerpublishAreItsStats) {
  const auto harness = play("ferpublish");
  show(*harness, 6);
  EXPECT_TRUE(wait_for([&] { return stat(harness->element(), "published") == 6; }));
  expect_same(*harness,
              {{"fer_publish_records_total", "published"},
               {"fer_publish_frames_total", "frames"},
               {"fer_publish_acknowledged_total", "acknowledged"},
               {"fer_publish_left_out_total", "left-out"},
               {"fer_publish_spooled_records", "spooled"},
               {"fer_publish_dropped_total", "dropped"},
               {"fer_publish_bytes_total", "bytes"},
               {"fer_publish_queued_records", "queued"},
               {"fer_publish_reconnects_total", "reconnects"}},
              false);
  EXPECT_EQ(sample(*harness, "fer_publish_connected", false), 1);
}

TEST_F(MetricsTest, CountExpressionsBySource) {
  const auto harness = std::make_unique<Harness>(
      make_element("ferpublish", {{"location", (folder_.path() / "records").string()},
                                  {"source", "door"},
                                  {"metrics-address", kAny}}));
  harness->set_caps(video_caps("I420", kSize.width, kSize.height));
  FaceRecord unsure = with_expression(face_at(0.5, 0.2, 0.3, 0.4, 2), 3);
  unsure.expression->unsure = true;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(
        harness->push(with_faces(make_frame(picture(), "I420", Layout::kPacked, i),
                                 video_info("I420", kSize.width, kSize.height),
                                 {with_expression(face_at(0.1, 0.2, 0.3, 0.4, 1), 1), unsure})),
        GST_FLOW_OK);
  }
  const std::string body = scrape(url(*harness));
  const auto line = [](const std::string& expression) {
    return ",source=\"door\",expression=\"" + expression + "\"} 4\n";
  };
  EXPECT_THAT(body, AllOf(HasSubstr(line("happiness")), HasSubstr(line("unsure"))));
  EXPECT_THAT(body, Not(HasSubstr("expression=\"sadness\"")));
}

TEST_F(MetricsTest, OfFerinferCountExpressions) {
  const auto harness = play("ferinfer");
  show(*harness, 12);
  double sum = 0;
  for (const auto& [name, value] : Scraped(scrape(url(*harness))).values) {
    if (name.starts_with("fer_infer_expressions_total{")) sum += value;
  }
  EXPECT_EQ(sum, 24);
}

TEST_F(MetricsTest, TellOfNoCandidateWhereThereIsNone) {
  const auto harness = play("ferlearn");
  const std::string body = scrape(url(*harness));
  EXPECT_THAT(body, HasSubstr("model=\"serving\""));
  EXPECT_THAT(body, Not(HasSubstr("model=\"candidate\"")));
}

TEST_F(MetricsTest, OfBothPluginsShareAServer) {
  const auto detect = play("ferdetect"), infer = play("ferinfer");
  EXPECT_NE(url(*detect), "");
  EXPECT_EQ(url(*detect), url(*infer));
  EXPECT_THAT(scrape(url(*detect)), AllOf(HasSubstr("\nfer_detect_frames_total{"),
                                          HasSubstr("\nfer_infer_frames_total{")));
}

TEST_F(MetricsTest, AnAddressInUseCostsAWarning) {
  // A server that is not ours.
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&where), size), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  ASSERT_EQ(getsockname(taken, reinterpret_cast<sockaddr*>(&where), &size), 0);
  const std::string address = "127.0.0.1:" + std::to_string(ntohs(where.sin_port));
  for (const char* factory : {"ferdetect", "ferinfer", "ferlearn", "ferpublish"}) {
    const auto harness = play(factory, address);
    const MessagePtr warning = harness->messages().wait(GST_MESSAGE_WARNING);
    ASSERT_TRUE(warning) << factory;
    EXPECT_THAT(message_text(warning.get()), AllOf(HasSubstr(address), HasSubstr("in use")));
    EXPECT_EQ(url(*harness), "");
    show(*harness, 3);
  }
  close(taken);
}

TEST_F(MetricsTest, AnAddressThatIsNoneCostsAWarning) {
  const auto harness = play("ferdetect", "nonsense");
  const MessagePtr warning = harness->messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), AllOf(HasSubstr("nonsense"), HasSubstr("host:port")));
  show(*harness, 3);
}

TEST_F(MetricsTest, EndWithTheElementAndComeBack) {
  const ElementPtr element = make_element("ferdetect", {{"metrics-address", kAny}});
  const auto url_now = [&] { return property<std::string>(element.get(), "metrics-url"); };
  gst_element_set_state(element.get(), GST_STATE_READY);
  EXPECT_EQ(url_now(), "");
  for (int i = 0; i < 2; ++i) {
    gst_element_set_state(element.get(), GST_STATE_PAUSED);
    const std::string where = url_now();
    EXPECT_THAT(scrape(where), HasSubstr("fer_detect_frames_total"));
    gst_element_set_state(element.get(), GST_STATE_READY);
    EXPECT_EQ(url_now(), "");
    EXPECT_THAT(error_of([&] { scrape(where); }), HasSubstr("nobody listens"));
  }
  gst_element_set_state(element.get(), GST_STATE_NULL);
}

TEST_F(MetricsTest, ElementsMayLeaveWhileScraped) {
  const auto stays = play("ferpublish");
  const std::string where = url(*stays);
  std::atomic<bool> done = false;
  std::jthread scraper([&] {
    while (!done) Scraped(scrape(where));
  });
  for (int i = 0; i < 5; ++i) {
    for (const char* factory : {"ferdetect", "ferinfer", "ferlearn"}) {
      const auto goes = play(factory);
      EXPECT_EQ(url(*goes), where);
      show(*goes, 2);
    }
  }
  done = true;
}

TEST_F(MetricsTest, AreNamedByTheRulesAndDocumented) {
  std::vector<std::unique_ptr<Harness>> all;
  for (const char* factory : {"ferdetect", "ferinfer", "ferlearn", "ferpublish"}) {
    all.push_back(play(factory));
  }
  const Scraped scraped(scrape(url(*all.front())));
  std::map<std::string, std::string> served, documented;
  for (const auto& [name, type] : scraped.types) {
    EXPECT_TRUE(std::regex_match(name, std::regex("fer_[a-z_]+"))) << name;
    EXPECT_EQ(name.ends_with("_total"), type == "counter") << name;
    EXPECT_NE(scraped.helps.count(name), 0u) << name;
    served.emplace(name, type);
  }
  std::ifstream page(METRICS_PAGE);
  ASSERT_TRUE(page) << METRICS_PAGE;
  // Its last column is the metric's help: both are the row's of the element's StatsTable.
  const std::regex row(R"(^\| `(fer_\w+)`[^|]*\| (\w+) \| [^|]*\| (.*) \|$)");
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    EXPECT_TRUE(documented.emplace(match[1], match[2]).second) << line;
    const auto help = scraped.helps.find(match[1]);
    if (help != scraped.helps.end()) {
      EXPECT_EQ(match[3], help->second) << line;
    }
  }
  EXPECT_EQ(served, documented);
}

#else

TEST_F(MetricsTest, CostAWarningWhereTheyWereNotBuilt) {
  for (const char* factory : {"ferdetect", "ferinfer", "ferlearn", "ferpublish"}) {
    const auto harness = play(factory);
    const MessagePtr warning = harness->messages().wait(GST_MESSAGE_WARNING);
    ASSERT_TRUE(warning) << factory;
    EXPECT_THAT(message_text(warning.get()), AllOf(HasSubstr(kAny), HasSubstr("built without")));
    EXPECT_EQ(url(*harness), "");
    show(*harness, 3);
  }
}

#endif

}  // namespace
}  // namespace fer
