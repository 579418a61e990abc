#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "commands/commands.h"
#include "commands/deprecated_option.h"
#include "data/data_source.h"
#include "evaluation/detection_evaluation.h"
#include "model/atomic_file.h"
#include "program/finite_range.h"
#include "terminal/output_files.h"
#include "terminal/progress.h"
#include "util/json_text.h"
#ifdef HAVE_VISION
#include "vision/detector.h"
#endif

namespace fer {
namespace {

using nlohmann::json;

struct Options {
  std::filesystem::path model, data, json;
  double threshold = 0;  ///< 0: the detector's own.
  DetectionEvalSettings eval;
};

/// The detector that was named, or the one that the elements would take.
std::filesystem::path model_path(const Options& o) {
  if (!o.model.empty()) return o.model;
#ifdef HAVE_VISION
  const DetectorModel found = find_detector_model();
  if (!found.path.empty()) return found.path;
#endif
  throw std::runtime_error("no --model was given and no face detector was found");
}

json report_json(const Options& o, const DetectionEvaluation& e, double threshold) {
  const auto or_null = [](double value) { return std::isfinite(value) ? json(value) : json(); };
  const DetectionScore& s = e.score;
  return {{"task", "detect"},
          {"model", o.model.string()},
          {"detector", e.detector},
          {"data", o.data.string()},
          {"split", o.eval.split},
          {"colour", e.colour},
          {"detect_width", o.eval.detect_width},
          {"least_face", o.eval.min_face},
          {"small_faces", o.eval.small_faces},
          {"turned_faces", o.eval.turned_faces},
          {"light", o.eval.light},
          {"photos", s.photos()},
          {"photos_without_faces", s.empty_photos()},
          {"unreadable", e.unreadable},
          {"faces", s.faces()},
          {"threshold", threshold},
          {"recall", s.recall(threshold)},
          {"precision", s.precision(threshold)},
          {"false_alarms", s.false_alarms(threshold)},
          {"points_error", or_null(s.points_error(threshold))},
          {"points_error_median", or_null(s.points_error_median(threshold))},
          {"average_precision", s.average_precision()}};
}

std::string number(const char* format, double value) {
  char text[96];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string report_text(const json& r) {
  const auto line = [](const char* name, const std::string& value) {
    std::string text = name;
    text.resize(14, ' ');
    return text + value + "\n";
  };
  std::string out =
      line("model", r["model"].get<std::string>() + " (" + r["detector"].get<std::string>() + ")");
  out += line(
      "data",
      r["data"].get<std::string>() + ", split " + r["split"].get<std::string>() + ": " +
          r["photos"].dump() + " photos, " + r["photos_without_faces"].dump() +
          " of them without faces; " + (r["colour"].get<bool>() ? "in colour" : "grey") +
          (r["unreadable"] == 0 ? "" : "; " + r["unreadable"].dump() + " more could not be read"));
  out += line("faces", r["faces"].dump() + " of " + number("%g", r["least_face"]) +
                           " px or more, photos at most " + r["detect_width"].dump() + " px wide");
  out += line("recall", number("%.1f %%", r["recall"].get<double>() * 100) + " at score " +
                            number("%.2f", r["threshold"]) + ", overlap 0.5");
  out += line("precision", number("%.1f %%", r["precision"].get<double>() * 100) +
                               " (what the teacher missed counts as wrong)");
  out += line("false alarms", number("%.3f", r["false_alarms"]) + " a photo without faces");
  out +=
      line("landmarks", r["points_error"].is_null()
                            ? std::string("none")
                            : number("%.1f %%", r["points_error"].get<double>() * 100) +
                                  " of the distance between the eyes, median " +
                                  number("%.1f %%", r["points_error_median"].get<double>() * 100));
  return out + line("average", number("precision %.3f over all scores", r["average_precision"]));
}

void run(Options& o) {
  o.model = model_path(o);
  require_outputs({o.json == "-" ? std::filesystem::path() : o.json},
                  {o.model, o.data, o.data / "labels.csv", o.data / "faces.csv"});
  Progress progress("evaluating");
  const DetectionEvaluation evaluation =
      evaluate_detector(o.model, o.data, o.eval, [&](std::size_t done, std::size_t all) {
        progress.update(static_cast<double>(done), static_cast<double>(all));
      });
  progress.clear();
  const json report =
      report_json(o, evaluation, o.threshold > 0 ? o.threshold : evaluation.threshold);
  std::fputs(report_text(report).c_str(), o.json == "-" ? stderr : stdout);
  const std::string text = json_text(report, 2) + "\n";
  if (o.json == "-")
    std::fputs(text.c_str(), stdout);
  else if (!o.json.empty())
    write_atomically(o.json, {text});
}

}  // namespace

void add_eval_detector(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c =
      app.add_subcommand("eval", "Measure a face detector: faces found, false alarms, landmarks.");
  c->add_option("--model", o->model,
                "The detector: .onnx, .xml, or weights from training (.fer); otherwise the one "
                "that the elements would take");
  c->add_option("--data", o->data,
                "A folder that holds labels.csv, faces.csv and the images, or what fer pack --task "
                "detect made of it (grey)")
      ->required();
  c->add_option("--split", o->eval.split, "Evaluate on this split")->capture_default_str();
  c->add_option("--threshold", o->threshold,
                "Score that counts; otherwise the one at which the detector is used")
      ->check(finite_range(0.05, 1));
  c->add_option("--detect-width", o->eval.detect_width, "Photos wider than this are shrunk to it")
      ->check(CLI::Range(0, 16384))
      ->capture_default_str();
  c->add_option("--min-face", o->eval.min_face,
                "Faces of this height count, in pixels of what the detector sees")
      ->check(finite_range(1, 10000))
      ->capture_default_str();
  add_deprecated(*c, "--least-face", o->eval.min_face, "--min-face")->check(finite_range(1, 10000));
  c->add_flag("--small-faces,!--no-small-faces", o->eval.small_faces,
              "Look for small faces too, as ferdetect does on each small-face-interval-th frame")
      ->default_str("true");
  c->add_flag("--turned-faces", o->eval.turned_faces,
              "Look for turned faces too, as ferdetect does on a stream's first frame");
  c->add_option("--light", o->eval.light, "Multiply the pixels by this: 0.25 for dark photos")
      ->check(finite_range(0.01, 1))
      ->capture_default_str();
  c->add_option("--max-photos", o->eval.max_photos, "Only the first ones; 0: all")
      ->capture_default_str();
  c->add_option("--json", o->json, "Write the report here; -: to stdout, and the text to stderr");
  c->callback([o] { run(*o); });
}

}  // namespace fer
