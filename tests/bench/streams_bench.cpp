// How many cameras one machine serves: streams side by side, each as fast as it goes, frames looped
// from memory, so that decoding costs nothing. docs/reference/benchmarks.md says how it is called.
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench_frames.h"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Options {
  std::string clip, json;
  std::vector<int> streams = {1, 4, 16};
  std::vector<std::string> chains = {
      "ferdetect ! ferinfer model-slot=all",
      "ferdetect ! ferinfer model-slot=all ! ferlearn model-slot=all max-cpu=1"};
  bool device = false;
  int width = 1920, height = 1080, rate = 30, frames = 60, copies = 1;
  double seconds = 5;
};

std::string caps_of(const Options& o) {
  const std::string size =
      ",format=NV12,width=" + std::to_string(o.width) + ",height=" + std::to_string(o.height);
  return (o.device ? "video/x-raw(memory:CUDAMemory)" : "video/x-raw") + size;
}

/// What makes of a clip's frames those that are played: the clip in each cell of a square grid, as
/// far as there are copies.
std::string picture_of(const Options& o) {
  const std::string played =
      std::string("videoconvert ! videoscale ! ") + (o.device ? "cudaupload ! " : "") + caps_of(o);
  if (o.copies == 1) return played;
  int columns = 1;
  while (columns * columns < o.copies) ++columns;
  const int width = o.width / columns, height = o.height / columns;
  std::string copied, placed;
  for (int i = 0; i < o.copies; ++i) {
    const std::string pad = "sink_" + std::to_string(i);
    copied += "copies. ! queue ! whole." + pad + " ";
    placed += pad + "::xpos=" + std::to_string(i % columns * width) + " " + pad +
              "::ypos=" + std::to_string(i / columns * height) + " ";
  }
  return "videoconvert ! videoscale ! video/x-raw,width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + " ! tee name=copies " + copied +
         "compositor name=whole " + placed + "! " + played;
}

/// What came out of one stream. The sink's thread writes.
struct Arrived {
  std::atomic<std::uint64_t> frames{0}, faces{0};
};

GstPadProbeReturn count(GstPad*, GstPadProbeInfo* info, gpointer data) {
  Arrived& arrived = *static_cast<Arrived*>(data);
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             GST_PAD_PROBE_INFO_BUFFER(info), &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    if (region->roi_type == g_quark_from_static_string("face")) ++arrived.faces;
  }
  ++arrived.frames;
  return GST_PAD_PROBE_OK;
}

/// Puts the frames into a pipeline's source, forth and back, until told to stop or refused.
class Camera {
 public:
  Camera(GstElement* source, const std::vector<GstBuffer*>& pictures, int rate)
      : source_(source), thread_([this, &pictures, rate] {
          const std::size_t turn = std::max<std::size_t>(1, 2 * pictures.size() - 2);
          for (std::uint64_t n = 0; !stop_; ++n) {
            const std::size_t at = n % turn;
            GstBuffer* frame = gst_buffer_copy(pictures[at < pictures.size() ? at : turn - at]);
            GST_BUFFER_PTS(frame) = gst_util_uint64_scale(n, GST_SECOND, rate);
            GST_BUFFER_DURATION(frame) = GST_SECOND / static_cast<GstClockTime>(rate);
            if (gst_app_src_push_buffer(GST_APP_SRC(source_), frame) != GST_FLOW_OK) return;
          }
        }) {}
  ~Camera() {
    stop_ = true;
    thread_.join();
    gst_object_unref(source_);
  }

 private:
  GstElement* const source_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// Per cent of the time in which the device had work, as nvidia-smi has it; negative: unknown.
int device_use() {
  std::FILE* tool = popen(
      "nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null", "r");
  if (tool == nullptr) return -1;
  int use = -1;
  if (std::fscanf(tool, "%d", &use) != 1) use = -1;
  pclose(tool);
  return use;
}

void throw_error_of(GstElement* pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == nullptr) return;
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const std::string what = error->message;
  g_clear_error(&error);
  gst_message_unref(message);
  throw std::runtime_error(what);
}

nlohmann::ordered_json play(const Options& o, const std::vector<GstBuffer*>& pictures,
                            const std::string& chain, int streams) {
  std::string text;
  for (int i = 0; i < streams; ++i) {
    const std::string number = std::to_string(i);
    text += "appsrc name=camera" + number + " format=time block=true max-buffers=2 max-bytes=0 " +
            "caps=\"" + caps_of(o) + ",framerate=" + std::to_string(o.rate) + "/1\" ! " + chain +
            " ! fakesink async=false sync=false name=sink" + number + " ";
  }
  // Both outlive the pipeline, which counts into the one and refuses what waits for room in the
  // other.
  std::vector<Arrived> arrived(static_cast<std::size_t>(streams));
  std::vector<std::unique_ptr<Camera>> cameras;
  const std::unique_ptr<GstElement, void (*)(GstElement*)> pipeline(
      fer::bench::parsed(text), [](GstElement* playing) {
        gst_element_set_state(playing, GST_STATE_NULL);
        gst_object_unref(playing);
      });
  for (std::size_t i = 0; i < arrived.size(); ++i) {
    GstElement* sink =
        gst_bin_get_by_name(GST_BIN(pipeline.get()), ("sink" + std::to_string(i)).c_str());
    GstPad* pad = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count, &arrived[i], nullptr);
    gst_object_unref(pad);
    gst_object_unref(sink);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  for (int i = 0; i < streams; ++i) {
    cameras.push_back(std::make_unique<Camera>(
        gst_bin_get_by_name(GST_BIN(pipeline.get()), ("camera" + std::to_string(i)).c_str()),
        pictures, o.rate));
  }
  const auto sums = [&] {
    std::pair<std::uint64_t, std::uint64_t> sum;
    for (const Arrived& stream : arrived) {
      sum.first += stream.frames;
      sum.second += stream.faces;
    }
    return sum;
  };
  // Models are opened and networks planned by the time that every stream has given a second.
  const auto deadline = Clock::now() + std::chrono::minutes(2);
  for (const Arrived& stream : arrived) {
    while (stream.frames < static_cast<std::uint64_t>(o.rate)) {
      throw_error_of(pipeline.get());
      if (Clock::now() > deadline)
        throw std::runtime_error("a stream did not give a second's frames in two minutes: " +
                                 chain);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  const auto begun = Clock::now();
  const auto before = sums();
  const double cpu_before = fer::bench::processor_seconds();
  std::this_thread::sleep_for(Seconds(o.seconds / 2));
  const int use = device_use();
  std::this_thread::sleep_for(Seconds(o.seconds / 2));
  const auto after = sums();
  const double wall = Seconds(Clock::now() - begun).count();
  const double cpu = fer::bench::processor_seconds() - cpu_before;
  throw_error_of(pipeline.get());
  const auto frames = static_cast<double>(after.first - before.first);
  return {{"chain", chain},
          {"streams", streams},
          {"frames_per_second", frames / wall},
          {"cameras", frames / wall / o.rate},
          {"faces_per_frame", static_cast<double>(after.second - before.second) / frames},
          {"cores", cpu / wall},
          {"device_use", use}};
}

void run(const Options& o) {
  gst_init(nullptr, nullptr);
  const auto pictures =
      fer::bench::decoded(o.clip, picture_of(o), static_cast<std::size_t>(o.frames));
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  std::printf("%8s %10s %14s %12s %6s %7s  %s\n", "streams", "frames/s", "cameras at rate",
              "faces/frame", "cores", "device", "elements");
  for (const std::string& chain : o.chains) {
    for (const int streams : o.streams) {
      const auto r = play(o, pictures, chain, streams);
      std::printf("%8d %10.0f %14.1f %12.2f %6.2f %5d %%  %s\n", streams,
                  r["frames_per_second"].get<double>(), r["cameras"].get<double>(),
                  r["faces_per_frame"].get<double>(), r["cores"].get<double>(),
                  r["device_use"].get<int>(), chain.c_str());
      std::fflush(stdout);
      runs.push_back(r);
    }
  }
  for (GstBuffer* picture : pictures) gst_buffer_unref(picture);
  if (o.json.empty()) return;
  std::ofstream file(o.json);
  file << nlohmann::ordered_json{{"width", o.width},   {"height", o.height}, {"rate", o.rate},
                                 {"frames", o.frames}, {"copies", o.copies}, {"device", o.device},
                                 {"runs", runs}}
              .dump(2)
       << '\n';
  if (!file.flush()) throw std::runtime_error(o.json + ": cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("How many cameras one machine serves.");
  app.add_option("clip", o.clip, "A video with faces")->required()->check(CLI::ExistingFile);
  app.add_option("--streams", o.streams, "How many side by side, in turn")->delimiter(',');
  app.add_option("--chain", o.chains, "The elements of each stream; may be given several times");
  app.add_flag("--device", o.device, "Frames lie in a CUDA device's memory");
  app.add_option("--seconds", o.seconds, "Of each run")->capture_default_str();
  app.add_option("--frames", o.frames, "Of the clip, looped forth and back")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--copies", o.copies, "Of the clip in each frame, in a grid: of one face many")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--width", o.width)->capture_default_str();
  app.add_option("--height", o.height)->capture_default_str();
  app.add_option("--rate", o.rate, "Frames a second of a camera")->capture_default_str();
  app.add_option("--json", o.json, "Write the figures here");
  CLI11_PARSE(app, argc, argv);
  try {
    run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "streams-bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
