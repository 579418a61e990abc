// What learning costs a live stream: latency of each frame, frames lost, processor time and memory,
// with learning off, on, and on while models are swapped. docs/reference/benchmarks.md says how it
// is called.
//
// The clip is decoded once; its frames then come at the pace of a camera, forth and back, into a
// queue that drops what is late. One person gives a learner little to do, so that it is offered
// as many pictures besides as it can take: faces of many people, or noise, which its guards must
// hold out against.
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench_frames.h"
#include "learn/data/packed_dataset.h"
#include "model/find_model.h"
#include "model/model_info.h"
#include "model/slot.h"
#include "stream/learner.h"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Options {
  std::string clip, faces, detect = "ferdetect", infer = "ferinfer", json;
  int width = 1280, height = 720, rate = 30, swaps = 100;
  double seconds = 600, max_cpu = 0.25;
};

std::string caps_of(const Options& o) {
  return "video/x-raw,format=NV12,width=" + std::to_string(o.width) +
         ",height=" + std::to_string(o.height) + ",framerate=" + std::to_string(o.rate) + "/1";
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// When frames went in, and how long they took. The sink's thread writes.
struct Frames {
  std::mutex mutex;
  std::vector<Clock::time_point> sent;
  std::vector<double> latency;  ///< Milliseconds, of those that arrived.
};

GstPadProbeReturn arrived(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const auto now = Clock::now();
  Frames& frames = *static_cast<Frames*>(data);
  const std::lock_guard lock(frames.mutex);
  const auto number = GST_BUFFER_OFFSET(GST_PAD_PROBE_INFO_BUFFER(info));
  if (number < frames.sent.size())
    frames.latency.push_back(Seconds(now - frames.sent[number]).count() * 1e3);
  return GST_PAD_PROBE_OK;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

/// Pictures for the learner, as fast as it takes them, until told to stop: each face of `people`
/// that a detector had found, as a person of its own, over and over, or noise where there are none.
class Feeder {
 public:
  Feeder(fer::Learner& learner, const fer::PackedDataset* people)
      : thread_([this, &learner, people] {
          const std::size_t bytes = fer::crop_bytes(learner.info().network);
          std::uint32_t state = 1;
          for (std::int64_t n = 0; !stop_; ++n) {
            const std::size_t row = people ? static_cast<std::size_t>(n) % people->size() : 0;
            if (people && !people->aligned(row)) continue;
            if (learner.stats().queued < 64) {
              fer::FaceSample face;
              if (people) {
                const auto crop = people->crop(row);
                face.crop.assign(crop.begin(), crop.end());
              } else {
                face.crop.resize(bytes);
                for (auto& pixel : face.crop)
                  pixel = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
              }
              face.source = people ? "people" : "noise";
              face.track = n;
              face.time_ns = n * 2'000'000'000;
              face.face_size = 64;
              learner.offer(std::move(face));
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
          }
        }) {}
  ~Feeder() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// Plays the frames for `seconds`; swaps models meanwhile, if any.
nlohmann::ordered_json play(const Options& o, const std::vector<GstBuffer*>& pictures,
                            const fer::PackedDataset* people, const std::string& name, bool learns,
                            int swaps) {
  std::string text = "appsrc name=camera is-live=true format=time caps=\"" + caps_of(o) +
                     "\" ! queue leaky=downstream max-size-buffers=3 max-size-bytes=0 "
                     "max-size-time=0 ! " +
                     o.detect + " ! " + o.infer + " name=infer model-slot=" + name;
  if (learns) text += " ! ferlearn model-slot=" + name + " max-cpu=" + std::to_string(o.max_cpu);
  GstElement* pipeline = fer::bench::parsed(text + " ! fakesink name=sink sync=false");
  GstElement* camera = gst_bin_get_by_name(GST_BIN(pipeline), "camera");
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstElement* infer = gst_bin_get_by_name(GST_BIN(pipeline), "infer");
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  Frames frames;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, arrived, &frames, nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);

  const auto slot = fer::ModelSlot::get(name);
  // Other objects of the same weights, opened beforehand: what counts is that they are exchanged.
  std::vector<std::shared_ptr<const fer::Classifier>> others;
  for (int i = 0; i < std::min(swaps, 2); ++i) {
    others.push_back(fer::Classifier::open(fer::require_expression_model(), fer::Precision::kAuto));
  }
  std::shared_ptr<fer::Learner> learner;
  std::unique_ptr<Feeder> feeder;
  if (learns) {
    // The one that the element made: its own settings count.
    learner = fer::Learner::get(name, {});
    feeder = std::make_unique<Feeder>(*learner, people);
  }
  const auto period = std::chrono::nanoseconds(1'000'000'000 / o.rate);
  const auto count = static_cast<std::size_t>(o.seconds * o.rate);
  const bool watched = isatty(STDERR_FILENO) != 0;
  const auto begun = Clock::now();
  const double cpu_begun = fer::bench::processor_seconds();
  std::vector<double> memory;
  int swapped = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::this_thread::sleep_until(begun + period * i);
    const std::size_t turn = 2 * pictures.size() - 2, at = i % std::max<std::size_t>(1, turn);
    GstBuffer* frame = gst_buffer_copy(pictures[at < pictures.size() ? at : turn - at]);
    GST_BUFFER_PTS(frame) = static_cast<GstClockTime>((period * i).count());
    GST_BUFFER_DURATION(frame) = static_cast<GstClockTime>(period.count());
    GST_BUFFER_OFFSET(frame) = i;
    {
      const std::lock_guard lock(frames.mutex);
      frames.sent.push_back(Clock::now());
    }
    gst_app_src_push_buffer(GST_APP_SRC(camera), frame);
    if (i % static_cast<std::size_t>(o.rate) == 0) memory.push_back(resident_mib());
    if (swapped < swaps &&
        i * static_cast<std::size_t>(swaps) >= static_cast<std::size_t>(swapped) * count &&
        slot->current()) {
      slot->swap(others[static_cast<std::size_t>(swapped++) % others.size()]);
    }
    if (watched && i % static_cast<std::size_t>(o.rate) == 0) {
      std::fprintf(stderr, "\r%s %zu of %.0f s ", name.c_str(),
                   i / static_cast<std::size_t>(o.rate), o.seconds);
    }
  }
  const double wall = Seconds(Clock::now() - begun).count();
  const double cpu = fer::bench::processor_seconds() - cpu_begun;
  if (watched) std::fprintf(stderr, "\r%*s\r", 40, "");
  feeder.reset();
  nlohmann::ordered_json learnt;
  if (learner) {
    const fer::LearnerStats s = learner->stats();
    learnt = {{"cpu_share", s.cpu_share},   {"max_cpu", o.max_cpu},     {"steps", s.steps},
              {"promotions", s.promotions}, {"rollbacks", s.rollbacks}, {"offered", s.offered},
              {"dropped", s.dropped},       {"faces", s.faces},         {"refused", s.refused}};
  }
  learner.reset();
  gst_app_src_end_of_stream(GST_APP_SRC(camera));
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, 10 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const bool ended = message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  if (message != nullptr) gst_message_unref(message);
  GstStructure* stats = nullptr;
  gdouble age = 0;
  g_object_get(infer, "stats", &stats, nullptr);
  gst_structure_get_double(stats, "average-age", &age);
  gst_structure_free(stats);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  for (gpointer object : {static_cast<gpointer>(bus), static_cast<gpointer>(pad),
                          static_cast<gpointer>(infer), static_cast<gpointer>(sink),
                          static_cast<gpointer>(camera), static_cast<gpointer>(pipeline)})
    gst_object_unref(object);
  if (!ended) throw std::runtime_error(name + ": the pipeline did not end as it should");

  const std::lock_guard lock(frames.mutex);
  const auto& ms = frames.latency;
  // What the pipeline needs is there after the first tenth.
  const double early = memory[memory.size() / 10];
  return {{"variant", name},
          {"seconds", wall},
          {"frames", frames.sent.size()},
          {"lost", frames.sent.size() - ms.size()},
          {"latency_ms_p50", quantile(ms, 0.5)},
          {"latency_ms_p95", quantile(ms, 0.95)},
          {"latency_ms_p99", quantile(ms, 0.99)},
          {"latency_ms_max", quantile(ms, 1)},
          {"result_age_frames", age},
          {"swaps", swapped},
          {"process_cores", cpu / wall},
          {"resident_mib_early", early},
          {"resident_mib_end", memory.back()},
          {"learner", learnt}};
}

void run(const Options& o) {
  gst_init(nullptr, nullptr);
  // Eight seconds, so that they fit into memory.
  const auto pictures =
      fer::bench::decoded(o.clip, "videoconvert ! videoscale ! videorate ! " + caps_of(o),
                          static_cast<std::size_t>(8 * o.rate));
  std::unique_ptr<const fer::PackedDataset> people;
  if (!o.faces.empty()) {
    people = std::make_unique<fer::PackedDataset>(o.faces);
    const auto model = fer::read_model_info(fer::require_expression_model());
    fer::require_same(model.crops(), "the model", people->info().crops, o.faces);
  }
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  std::printf("%-20s %6s %5s %8s %8s %8s %8s %6s %9s %9s\n", "", "frames", "lost", "p50 ms",
              "p95 ms", "p99 ms", "max ms", "cores", "MiB", "MiB, end");
  for (const auto& [name, learns, swaps] : {std::tuple{"off", false, 0},
                                            {"learning", true, 0},
                                            {"learning-and-swaps", true, o.swaps}}) {
    const auto r = play(o, pictures, people.get(), name, learns, swaps);
    std::printf("%-20s %6d %5d %8.2f %8.2f %8.2f %8.2f %6.2f %9.1f %9.1f\n", name,
                r["frames"].get<int>(), r["lost"].get<int>(), r["latency_ms_p50"].get<double>(),
                r["latency_ms_p95"].get<double>(), r["latency_ms_p99"].get<double>(),
                r["latency_ms_max"].get<double>(), r["process_cores"].get<double>(),
                r["resident_mib_early"].get<double>(), r["resident_mib_end"].get<double>());
    std::fflush(stdout);
    runs.push_back(r);
  }
  for (GstBuffer* picture : pictures) gst_buffer_unref(picture);
  if (o.json.empty()) return;
  std::ofstream file(o.json);
  file << nlohmann::ordered_json{{"experiment", "e6"}, {"runs", runs}}.dump(2) << '\n';
  if (!file.flush()) throw std::runtime_error(o.json + ": cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("What learning costs a live stream.");
  app.add_option("clip", o.clip, "A video with a face")->required()->check(CLI::ExistingFile);
  app.add_option("--faces", o.faces,
                 "A packed dataset whose faces the learner is offered, not noise")
      ->check(CLI::ExistingFile);
  app.add_option("--seconds", o.seconds, "Of each of the three runs")->capture_default_str();
  app.add_option("--width", o.width)->capture_default_str();
  app.add_option("--height", o.height)->capture_default_str();
  app.add_option("--rate", o.rate, "Frames a second")->capture_default_str();
  app.add_option("--swaps", o.swaps, "Models exchanged in the third run")->capture_default_str();
  app.add_option("--max-cpu", o.max_cpu, "Of ferlearn")->capture_default_str();
  app.add_option("--detect", o.detect, "The detecting element")->capture_default_str();
  app.add_option("--infer", o.infer, "The inferring element")->capture_default_str();
  app.add_option("--json", o.json, "Write the figures here");
  CLI11_PARSE(app, argc, argv);
  try {
    run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "learning-bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
