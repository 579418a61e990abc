#include <cstdarg>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "commands/finite_range.h"
#include "evaluation/evaluation.h"
#include "model/atomic_file.h"
#include "model/find_model.h"
#include "model/labels.h"
#include "terminal/output_files.h"
#include "terminal/progress.h"
#include "util/join.h"
#include "util/json_text.h"
#ifdef HAVE_CAIRO
#include "report/confusion_plot.h"
#endif

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path model, json, plot;
  EvalSettings eval;
  Precision precision = Precision::kFp32;
};

const char* name_of(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "fp32";
}

const char* name_of(AlignMode mode) {
  return mode == AlignMode::kAuto ? "auto" : mode == AlignMode::kAlways ? "always" : "never";
}

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

std::filesystem::path model_path(const Options& o) {
  return o.model.empty() ? require_expression_model() : o.model;
}

nlohmann::json report_json(const Options& o, const Classifier& classifier, const DataSource& source,
                           const Evaluation& e) {
  nlohmann::json report = e.confusion.to_json();
  report["ms_per_face"] = e.ms_per_face;
  report["cpu_ms_per_face"] = e.cpu_ms_per_face;
  report["model"] = o.model.string();
  report["model_version"] = classifier.info().version;
  report["data"] = o.data.string();
  report["split"] = o.eval.split;
  report["align"] = source.was_packed() ? "packed" : name_of(o.align);
  report["aligned"] = e.aligned;
  report["restricted"] = e.restricted;
  report["prior_correction"] = o.eval.prior_correction;
  report["precision"] = name_of(classifier.precision());
  report["left_out"] = {{"duplicates", e.duplicates},
                        {"unlabelled", e.unlabelled},
                        {"other_classes", e.other_classes},
                        {"unreadable", source.unreadable()}};
  return report;
}

std::string report_text(const Options& o, const Classifier& classifier, const DataSource& source,
                        const Evaluation& e) {
  const ModelInfo& model = classifier.info();
  const auto line = [](const char* name, const std::string& value) {
    return text("%-13s ", name) + value + "\n";
  };
  std::string out =
      line("model", o.model.string() + text(" (%s, version %s)", model.network.name.c_str(),
                                            model.version.c_str()));
  out += line("data", o.data.string() + (o.eval.split.empty() ? "" : ", split " + o.eval.split) +
                          text(": %lld faces, %zu of them aligned",
                               static_cast<long long>(e.confusion.total()), e.aligned));
  std::vector<std::string> left_out;
  if (e.unlabelled) left_out.push_back(text("%zu without one majority label", e.unlabelled));
  if (e.duplicates)
    left_out.push_back(
        text("%zu marked as duplicates (--keep-duplicates counts them)", e.duplicates));
  if (e.other_classes) left_out.push_back(text("%zu of other classes", e.other_classes));
  if (source.unreadable()) left_out.push_back(text("%zu unreadable", source.unreadable()));
  if (!left_out.empty()) out += line("left out", join(left_out));
  if (e.restricted) {
    out += line("classes", text("predictions are taken among %zu of the model's %zu classes: ",
                                e.confusion.labels().size(), model.labels.size()) +
                               join(e.confusion.labels()));
  }
  if (o.eval.prior_correction != 0)
    out += line("prior", text("divided out to the power of %g", o.eval.prior_correction));
  out += line("accuracy", text("%.2f %%", e.confusion.accuracy() * 100));
  out += line("macro recall", text("%.2f %%", e.confusion.macro_recall() * 100));
  out += line("time", text("%.2f ms a face, %.2f ms of CPU (medians; one face at a time on one "
                           "thread, as in a stream; %s)",
                           e.ms_per_face, e.cpu_ms_per_face, name_of(classifier.precision())));
  return out + "\n" + e.confusion.to_text();
}

void run(Options& o) {
  o.model = model_path(o);
  require_outputs({o.json == "-" ? std::filesystem::path() : o.json, o.plot}, {o.model, o.data});
  const auto classifier = Classifier::open(o.model, o.precision);
  const ModelInfo& model = classifier->info();
  ReadOptions read = o.read_options();
  read.split = o.eval.split;
  const DataSource source(o.data, o.align, model.crops(), read);
  o.eval.model_name = o.model.string();
  o.eval.data_name = o.data.string();
  Progress progress("evaluating");
  const Evaluation result =
      evaluate(*classifier, source.data(), o.eval, [&](std::size_t done, std::size_t all) {
        progress.update(static_cast<double>(done), static_cast<double>(all));
      });
  progress.clear();

  const std::string report = report_text(o, *classifier, source, result);
  std::fputs(report.c_str(), o.json == "-" ? stderr : stdout);
  if (!o.json.empty()) {
    const std::string json = json_text(report_json(o, *classifier, source, result), 2) + "\n";
    if (o.json == "-")
      std::fputs(json.c_str(), stdout);
    else
      write_atomically(o.json, {json});
  }
#ifdef HAVE_CAIRO
  if (!o.plot.empty()) {
    plot_confusion(o.plot, result.confusion,
                   o.model.filename().string() + " on " + source.data().info().source +
                       (o.eval.split.empty() ? "" : ", " + o.eval.split),
                   text("accuracy %.1f %%, macro recall %.1f %%, %lld faces",
                        result.confusion.accuracy() * 100, result.confusion.macro_recall() * 100,
                        static_cast<long long>(result.confusion.total())));
  }
#endif
}

/// Empty for names of expressions only.
std::string check_class(const std::string& name) {
  if (canonical_label(name)) return "";
  return "\"" + name + "\" names no expression; expected any of " + join(ferplus_labels());
}

std::string check_plot(const std::string& path) {
#ifdef HAVE_CAIRO
  return is_plot_path(path) ? "" : path + ": expected a path that ends in .png or .svg";
#else
  return path + ": cannot be drawn, since this program was built without Cairo";
#endif
}

}  // namespace

void add_eval(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "eval",
      "Measure a model on labelled faces: accuracy, recall of each class, confusion, time.");
  c->add_option("--model", o->model, "The model file; otherwise the shipped one is looked for");
  o->add_to(*c, /*shape=*/false);
  o->add_max_unreadable(*c);
  c->add_option("--split", o->eval.split, "Evaluate on this split only");
  c->add_option("--classes", o->eval.classes,
                "Leave out rows of other classes and predict among these (names or aliases, "
                "separated by commas)")
      ->delimiter(',')
      ->check(CLI::Validator(check_class, "CLASS"));
  c->add_flag("--keep-duplicates", o->eval.keep_duplicates,
              "Count rows whose pixels stand in another row too");
  c->add_option("--prior-correction", o->eval.prior_correction,
                "Divide by the model's prior to this power: 0 as trained, 1 as if all classes were "
                "equally common")
      ->check(finite_range(0, 2))
      ->capture_default_str();
  const std::map<std::string, Precision> precisions{{"fp32", Precision::kFp32},
                                                    {"bf16", Precision::kBf16}};
  c->add_option("--precision", o->precision, "Arithmetic of the convolutions: fp32 or bf16")
      ->transform(CLI::CheckedTransformer(precisions, CLI::ignore_case))
      ->default_str("fp32");
  c->add_option("--json", o->json, "Write the report here; -: to stdout, and the text to stderr");
  c->add_option("--plot", o->plot, "Draw the confusion matrix here (.png or .svg)")
      ->check(CLI::Validator(check_plot, "PATH"));
  c->callback([o] { run(*o); });
}

}  // namespace fer
