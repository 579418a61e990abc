// Frames a second of whole pipelines on one clip, against decoding alone and against GStreamer's
// `facedetect`, in the same run. docs/reference/benchmarks.md says how it is called.
//
// Only the time from the first to the last frame at the sink counts, so that loading plugins and
// models does not. The pipelines take turns for several rounds; the median of the rounds is shown.
#include <gst/gst.h>
#include <gst/video/video.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Contestant {
  std::string name;
  std::string elements;  ///< Between the decoder and the sink; empty: nothing.
  std::vector<double> rates = {};
  std::uint64_t frames = 0, faces = 0;
};

/// What the sink's probe and the bus see of one run.
struct Run {
  Clock::time_point first, last;
  std::uint64_t frames = 0, faces = 0;
};

/// Faces that an element announced on the bus as OpenCV's does: a list of structures.
std::uint64_t faces_announced(GstMessage* message) {
  const GstStructure* fields = gst_message_get_structure(message);
  if (fields == nullptr || !gst_structure_has_name(fields, "facedetect")) return 0;
  const GValue* faces = gst_structure_get_value(fields, "faces");
  return faces != nullptr && GST_VALUE_HOLDS_LIST(faces) ? gst_value_list_get_size(faces) : 0;
}

GstPadProbeReturn count(GstPad*, GstPadProbeInfo* info, gpointer data) {
  Run& run = *static_cast<Run*>(data);
  run.last = Clock::now();
  if (run.frames++ == 0) run.first = run.last;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             GST_PAD_PROBE_INFO_BUFFER(info), &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    if (region->roi_type == g_quark_from_static_string("face")) ++run.faces;
  }
  return GST_PAD_PROBE_OK;
}

Run play(const std::string& clip, const Contestant& contestant) {
  const std::string link = contestant.elements.empty() ? "" : " ! " + contestant.elements;
  const std::string text = "filesrc name=clip ! decodebin ! queue max-size-buffers=4" + link +
                           " ! fakesink name=sink sync=false";
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(text.c_str(), &error);
  if (error != nullptr) {
    const std::string what = contestant.name + ": " + error->message;
    g_clear_error(&error);
    if (pipeline != nullptr) gst_object_unref(pipeline);
    throw std::runtime_error(what);
  }
  Run run;
  GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline), "clip");
  g_object_set(source, "location", clip.c_str(), nullptr);
  gst_object_unref(source);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count, &run, nullptr);
  gst_object_unref(pad);
  gst_object_unref(sink);

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  std::string failure;
  std::uint64_t announced = 0;
  for (bool running = true; running;) {
    GstMessage* message = gst_bus_timed_pop_filtered(
        bus, GST_CLOCK_TIME_NONE,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT));
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error(message, &error, nullptr);
      failure = contestant.name + ": " + error->message;
      g_clear_error(&error);
    }
    announced += faces_announced(message);
    running = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT;
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  if (!failure.empty()) throw std::runtime_error(failure);
  if (run.frames < 2)
    throw std::runtime_error(contestant.name + ": fewer than two frames came out");
  run.faces += announced;
  return run;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  std::string clip, json_path, main_job = "ferdetect ! ferinfer ! feroverlay";
  int rounds = 3;
  std::vector<std::string> more;
  CLI::App app("Frames a second of the main pipeline against its rivals, on one clip.");
  app.add_option("clip", clip, "A video file")->required()->check(CLI::ExistingFile);
  app.add_option("--rounds", rounds, "How often each pipeline plays")->check(CLI::Range(1, 100));
  app.add_option("--main", main_job, "The main job's elements")->capture_default_str();
  app.add_option("--also", more, "Further chains of elements to time");
  app.add_option("--json", json_path, "Write the figures here too");
  CLI11_PARSE(app, argc, argv);
  gst_init(nullptr, nullptr);

  std::vector<Contestant> contestants = {{"decode only", ""}, {main_job, main_job}};
  for (const std::string& chain : more) contestants.push_back({chain, chain});
  if (GstElementFactory* rival = gst_element_factory_find("facedetect")) {
    gst_object_unref(rival);
    contestants.push_back({"facedetect", "videoconvert ! facedetect display=false"});
  } else {
    std::printf("facedetect is not installed (package gstreamer1.0-opencv): left out\n");
  }
  try {
    for (int round = 0; round < rounds; ++round) {
      for (Contestant& contestant : contestants) {
        const Run run = play(clip, contestant);
        const double seconds = std::chrono::duration<double>(run.last - run.first).count();
        contestant.rates.push_back(static_cast<double>(run.frames - 1) / seconds);
        contestant.frames = run.frames;
        contestant.faces = run.faces;
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pipeline-bench: %s\n", error.what());
    return 1;
  }
  nlohmann::json results = nlohmann::json::array();
  std::printf("%-60s %8s %18s %8s %10s\n", "pipeline", "frames/s", "(least … most)", "faces",
              "of decode");
  for (const Contestant& c : contestants) {
    const auto [min, max] = std::minmax_element(c.rates.begin(), c.rates.end());
    const double share = median(c.rates) / median(contestants.front().rates);
    std::printf("%-60s %8.1f   (%6.1f … %6.1f) %8llu %9.0f %%\n", c.name.c_str(), median(c.rates),
                *min, *max, static_cast<unsigned long long>(c.faces), share * 100);
    results.push_back({{"pipeline", c.name},
                       {"frames_per_second", median(c.rates)},
                       {"rates", c.rates},
                       {"frames", c.frames},
                       {"faces", c.faces},
                       {"share_of_decode", share}});
  }
  if (!json_path.empty()) {
    std::FILE* file = std::fopen(json_path.c_str(), "w");
    if (file == nullptr || std::fprintf(file, "%s\n", results.dump(2).c_str()) < 0) {
      std::fprintf(stderr, "pipeline-bench: %s: cannot be written\n", json_path.c_str());
      return 1;
    }
    std::fclose(file);
  }
  return 0;
}
