#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "files/temporary_folder.h"
#include "front/commands.h"
#include "model/atomic_file.h"
#include "model/owner_only_files.h"
#include "program/finite_range.h"
#include "report/page/page.h"
#include "terminal/interrupt.h"
#include "terminal/output_files.h"
#include "util/make_folder.h"
#include "watch/row_files.h"
#include "watch/watch_page.h"
#include "watch/watch_run.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// Lines of inputs in the summary; more would hide it.
constexpr std::size_t kLines = 50;

struct Options {
  std::vector<std::string> inputs;
  fs::path csv, jsonl, plot, annotated;
  int jobs = 0;
  bool restart = false;
  WatchSettings settings;

  std::vector<fs::path> outputs() const { return {csv, jsonl, plot}; }
  /// What the collected results lie beside; empty: nothing is written.
  fs::path first_output() const {
    for (const fs::path& file : outputs())
      if (!file.empty() && !is_stream(file)) return file;
    return annotated.empty() ? fs::path() : annotated / "watched";
  }
};

/// All that can be known before the work begins.
void check(const Options& o) {
  std::vector<fs::path> read(o.inputs.begin(), o.inputs.end());
  read.push_back(o.settings.model);
  require_outputs(o.outputs(), read);
  if (!o.plot.empty()) require_chart_library();
  if (o.settings.thumbnails && o.plot.empty())
    throw std::runtime_error("--thumbnails: expected --plot beside it, for the page that has them");
  if (!o.settings.blur.empty() && o.annotated.empty() && !o.settings.thumbnails) {
    throw std::runtime_error(
        "--blur: expected --annotated or --thumbnails beside it; nothing else holds pictures");
  }
  if (!o.settings.blur_style.empty() && o.settings.blur.empty())
    throw std::runtime_error("--blur-style: expected --blur beside it, which says whose faces");
  if (!o.annotated.empty()) {
    make_folder(o.annotated);
    require_writable(o.annotated / "watched");
  }
}

/// What results depend on besides their inputs.
std::string settings_text(const Options& o, const std::string& elements) {
  const WatchSettings& s = o.settings;
  std::string text = elements + PACKAGE_VERSION;
  for (const double value :
       {static_cast<double>(s.detect_width), static_cast<double>(s.inference_interval),
        static_cast<double>(s.reclassify_interval), s.max_seconds, s.thumbnails ? 1.0 : 0.0})
    text += " " + std::to_string(value);
  if (!s.blur.empty()) text += " " + s.blur + " " + s.blur_style;
  return text;
}

int jobs_of(const Options& o) {
  // A video's pipeline has two threads that work: one decodes, the other looks at the frames.
  return o.jobs > 0 ? o.jobs
                    : std::clamp(static_cast<int>(std::thread::hardware_concurrency()) / 2, 1, 2);
}

void print_summary(const Options& o, const WatchRun& run) {
  // Where rows go to standard output, they stand there alone.
  const auto outputs = o.outputs();
  std::FILE* out = std::any_of(outputs.begin(), outputs.end(), is_stream) ? stderr : stdout;
  WatchResult sum;
  sum.inputs = 0;
  sum.kind = WatchKind::kPhoto;
  std::size_t lines = 0;
  for (const WatchResult& result : run.results) {
    add_counts(sum, result);
    if (result.kind != WatchKind::kPhoto) sum.kind = WatchKind::kVideo;
    if (++lines <= kLines) {
      const std::string speed = result.error.empty() ? speed_text(result, result.work_seconds) : "";
      std::fprintf(out, "%s%s%s\n", summary_line(result).c_str(), speed.empty() ? "" : "; ",
                   speed.c_str());
    }
  }
  if (lines > kLines) std::fprintf(out, "… and %zu more\n", lines - kLines);
  sum.stopped = run.stopped;
  sum.name = std::to_string(sum.inputs) + (sum.inputs == 1 ? " input" : " inputs");
  // What an earlier run did took none of this one's time.
  const std::string speed = run.resumed == 0 ? speed_text(sum, run.seconds) : "";
  std::fprintf(out, "%s%s%s\n", summary_line(sum).c_str(), speed.empty() ? "" : "; ",
               speed.c_str());
  if (run.resumed > 0) std::fprintf(out, "%zu of them were done by an earlier run.\n", run.resumed);
  for (const auto& [file, what] : {std::pair{o.csv, "rows"}, {o.jsonl, "rows"}, {o.plot, "page"}})
    if (!file.empty()) std::fprintf(out, "%s: %s\n", file.c_str(), what);
  if (!o.annotated.empty())
    std::fprintf(out, "%s: the inputs with what was seen drawn on them\n", o.annotated.c_str());
}

void write_outputs(const Options& o, const WatchRun& run) {
  if (!o.csv.empty()) write_rows_csv(o.csv, run);
  if (!o.jsonl.empty()) write_rows_jsonl(o.jsonl, run);
  if (o.plot.empty()) return;
  const OwnerOnlyFiles meanwhile;
  write_atomically(o.plot, {watch_page(run)});
}

void run(Options& o) {
  check(o);
  const fs::path anchor = o.first_output();
  std::vector<fs::path> ours = o.outputs();
  ours.push_back(o.annotated);
  const FoundInputs inputs = find_inputs(o.inputs, o.annotated, ours);
  for (const std::string& error : inputs.unreadable)
    std::fprintf(stderr, "fer: %s\n", error.c_str());
  if (inputs.units.empty()) throw CLI::RuntimeError(kBadInput);
  const WatchElements elements(o.settings);
  std::optional<TemporaryFolder> nowhere;
  if (anchor.empty()) nowhere.emplace();
  const Parts parts(nowhere ? nowhere->path() / "watched" : anchor,
                    settings_text(o, elements.identity()));
  parts.make(o.restart);
  const WatchRun run = watch_all(inputs, o.settings, parts, jobs_of(o));
  write_outputs(o, run);
  print_summary(o, run);
  if (run.stopped) {
    if (!anchor.empty())
      std::fprintf(stderr, "note: stopped; the same command goes on where this one was\n");
    throw Interrupted();
  }
  parts.remove();
  if (run.unreadable.empty()) return;
  std::fprintf(stderr, "fer: %zu of the inputs could not be watched to the end, as told above\n",
               run.unreadable.size());
  throw CLI::RuntimeError(kBadInput);
}

}  // namespace

void add_watch(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "watch",
      "Find, follow and label the faces of photos, videos, folders of them, cameras and addresses; "
      "write a row per face per frame, a page to look into, and annotated copies.");
  c->add_option("inputs", o->inputs,
                "Photos, videos, folders of both, addresses (https://…, rtsp://…) and cameras "
                "(/dev/video0); a camera is watched until Ctrl-C")
      ->required();
  const auto add = [&](const char* name, auto& value, const char* what, const char* group) {
    return c->add_option(name, value, what)->group(group);
  };
  const char *kOutput = "Output", *kWatching = "Watching";
  add("--csv", o->csv, "The rows as CSV; /dev/stdout prints them", kOutput);
  add("--jsonl", o->jsonl, "The rows as JSON, one object per line", kOutput);
  add("--plot", o->plot, "A page with charts: who was seen when, and what the faces showed",
      kOutput);
  c->add_flag("--thumbnails", o->settings.thumbnails,
              "The page also gets small pictures of the frames; else no picture is stored")
      ->group(kOutput);
  add("--annotated", o->annotated,
      "Folder for copies of the inputs with boxes and labels on them, without sound", kOutput);
  add("--blur", o->settings.blur,
      "Make faces unrecognisable in copies and thumbnails: all, or those whose label is unsure",
      kOutput)
      ->check(CLI::IsMember({"all", "unsure"}));
  add("--blur-style", o->settings.blur_style,
      "How: a smooth blur (gaussian, the default), cells of one colour, or a drawn mask", kOutput)
      ->check(CLI::IsMember({"gaussian", "pixelate", "mask"}));
  add("--model", o->settings.model,
      "Expression model (.fer, or .onnx with its description; default: the one that ships)",
      kWatching)
      ->check(CLI::ExistingFile);
  add("--detect-width", o->settings.detect_width,
      "Find faces in frames shrunk to this width; 0: as ferdetect does by itself", kWatching)
      ->check(CLI::Range(0, 16384))
      ->capture_default_str();
  add("--inference-interval", o->settings.inference_interval,
      "Find faces in each n-th frame of a video, and follow them between", kWatching)
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  add("--reclassify-interval", o->settings.reclassify_interval,
      "Label a face that is followed every n frames; 1: in each", kWatching)
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  add("--max-seconds", o->settings.max_seconds,
      "Watch so much of each video or camera; 0: to its end", kWatching)
      ->check(finite_range(0, 1e9))
      ->capture_default_str();
  add("--jobs", o->jobs, "Videos at once; 0: two where there are four cores or more, else one",
      kWatching)
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  c->add_flag("--restart", o->restart, "Begin anew, and forget what a stopped run had done")
      ->group(kWatching);
  c->footer(
      "A stopped run leaves its results in FIRST_OUTPUT.parts, and the same command goes on from "
      "there.\nParquet: Debian 12 has no Arrow for C++, so this program writes none; in Python, "
      "pandas.read_csv(FILE).to_parquet(…) does.\nExit codes: 0 done, 1 an input could not be "
      "watched (the others were), 2 wrong usage, 130 interrupted.");
  c->callback([o] { run(*o); });
}

}  // namespace fer
