#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "evaluation/class_names.h"
#include "evaluation/evaluation.h"
#include "evaluation/groups.h"
#include "evaluation/prediction_csv.h"
#include "model/atomic_file.h"
#include "model/find_model.h"
#include "model/labels.h"
#include "program/choices.h"
#include "program/finite_range.h"
#include "report/eval_page.h"
#include "report/eval_report.h"
#include "report/page/page.h"
#include "terminal/output_files.h"
#include "terminal/progress.h"
#include "util/join.h"
#include "util/json_text.h"
#ifdef HAVE_CAIRO
#include "report/confusion_plot.h"
#include "report/plot_canvas.h"
#include "report/reliability_plot.h"
#endif

namespace fer {
namespace {

namespace fs = std::filesystem;

/// What is drawn whole when figures are resampled.
enum class Resampled { kAuto, kImages, kPersons };

struct Options : DataOptions {
  fs::path model, json, plot, reliability, predictions, compare, compare_predictions;
  EvalSettings eval;
  Precision precision = Precision::kFp32;
  std::vector<double> prior_corrections;
  Grouping grouping;
  BootstrapSettings bootstrap;
  Resampled resampled = Resampled::kAuto;
};

/// Faces of another model that are asked together: nobody wants its time.
constexpr std::size_t kBatch = 64;

const char* name_of(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "fp32";
}

const char* name_of(AlignMode mode) {
  return mode == AlignMode::kAuto ? "auto" : mode == AlignMode::kAlways ? "always" : "never";
}

Evaluation evaluate_with_progress(const char* what, const Classifier& classifier,
                                  const PackedDataset& data, const EvalSettings& settings) {
  Progress progress(what);
  Evaluation result = evaluate(classifier, data, settings, [&](std::size_t done, std::size_t all) {
    progress.update(static_cast<double>(done), static_cast<double>(all));
  });
  progress.clear();
  return result;
}

/// One evaluation, from the options to the report.
class Run {
 public:
  explicit Run(Options& options) : o_(options) {}

  void run() {
    if (o_.model.empty()) o_.model = require_expression_model();
    require_outputs(
        {o_.json == "-" ? fs::path() : o_.json, o_.plot, o_.reliability, o_.predictions},
        {o_.model, o_.data, o_.compare, o_.compare_predictions});
    if (is_page_path(o_.plot)) require_chart_library();
    // What is cheap to read comes first: what is wrong with it is told before the work.
    std::optional<Predictions> earlier;
    if (!o_.compare_predictions.empty()) earlier = read_predictions(o_.compare_predictions);
    std::shared_ptr<const Classifier> other;
    if (!o_.compare.empty()) other = Classifier::open(o_.compare, o_.precision);
    const auto classifier = Classifier::open(o_.model, o_.precision);

    const DataSource source = open_data(classifier->info());
    const PackedDataset& data = source.data();
    if ((!o_.predictions.empty() || earlier) && data.image(0).empty()) {
      throw std::runtime_error(o_.data.string() +
                               ": it does not carry the names of its images; pack it anew by: fer "
                               "pack");
    }
    if (o_.grouping.name_field == 0 && o_.grouping) data.column(o_.grouping.column);
    o_.eval.model_name = o_.model.string();
    o_.eval.data_name = o_.data.string();

    EvalReport report = described(classifier->info(), classifier->precision(), source);
    report.evaluation = evaluate_with_progress("evaluating", *classifier, data, o_.eval);
    if (!o_.predictions.empty()) write_predictions(o_.predictions, report.evaluation.predictions);
    measure_all(report, data);
    if (other) compare_with(report, *other, source);
    if (earlier) {
      add_compared(report, o_.compare_predictions,
                   matched(*earlier, o_.compare_predictions.string(), report.evaluation.predictions,
                           o_.data.string()));
    }
    write(report, data);
  }

 private:
  DataSource open_data(const ModelInfo& model) const {
    ReadOptions read = o_.read_options();
    read.split = o_.eval.split;
    if (!o_.grouping.column.empty()) read.columns = {o_.grouping.column};
    return DataSource(o_.data, o_.align, model.crops(), read);
  }

  EvalReport described(const ModelInfo& model, Precision precision,
                       const DataSource& source) const {
    EvalReport report;
    report.model = o_.model.string();
    report.network = model.network.name;
    report.model_classes = model.labels.size();
    report.version = model.version;
    report.precision = name_of(precision);
    report.data = o_.data.string();
    report.split = o_.eval.split;
    report.align = source.was_packed() ? "packed" : name_of(o_.align);
    report.prior_correction = prior_correction_of(model, o_.eval.prior_correction);
    report.unreadable = source.unreadable();
    report.bootstrap = o_.bootstrap;
    return report;
  }

  void measure_all(EvalReport& report, const PackedDataset& data) {
    const Predictions& predictions = report.evaluation.predictions;
    const bool persons = o_.resampled == Resampled::kPersons ||
                         (o_.resampled == Resampled::kAuto && knows_persons(predictions));
    if (o_.resampled == Resampled::kPersons && !knows_persons(predictions)) {
      throw std::runtime_error(o_.data.string() +
                               ": it does not say who its faces show (column \"person\"), so that "
                               "persons cannot be resampled");
    }
    clusters_ = persons ? clusters_by_person(predictions) : clusters_by_image(predictions);
    report.resampled = persons ? "persons" : "images";
    report.clusters = clusters_.count;
    report.measures = measure(predictions, clusters_, o_.bootstrap);
    for (const double correction : o_.prior_corrections) {
      const Predictions corrected =
          with_prior_correction(predictions, correction - report.prior_correction);
      report.corrections.push_back({correction, measure(corrected, clusters_, o_.bootstrap),
                                    compare(corrected, predictions, clusters_, o_.bootstrap)});
    }
    if (!o_.grouping) return;
    report.grouping = o_.grouping.name();
    report.groups =
        measure_groups(predictions, groups_of(data, report.evaluation.rows, o_.grouping),
                       o_.grouping, clusters_, o_.bootstrap);
  }

  void compare_with(EvalReport& report, const Classifier& other, const DataSource& source) const {
    EvalSettings settings = o_.eval;
    settings.batch = kBatch;
    settings.model_name = o_.compare.string();
    const bool fits = other.info().crops() == source.data().info().crops;
    if (fits || source.was_packed()) {
      Evaluation same =
          evaluate_with_progress("evaluating the other", other, source.data(), settings);
      // Of the same rows, in the same order of classes, which may go by other names.
      const auto& mine = report.evaluation.predictions.classes;
      bool alike = same.predictions.classes.size() == mine.size();
      for (std::size_t k = 0; alike && k < mine.size(); ++k)
        alike = class_index(same.predictions.classes, mine[k]) == static_cast<int>(k);
      if (!alike) {
        throw std::runtime_error(o_.compare.string() + ": it tells other classes apart (" +
                                 join(same.predictions.classes) +
                                 "); name those that both know by --classes");
      }
      same.predictions.classes = mine;
      add_compared(report, o_.compare, same.predictions);
      return;
    }
    const DataSource again = open_data(other.info());
    const Evaluation there =
        evaluate_with_progress("evaluating the other", other, again.data(), settings);
    add_compared(report, o_.compare,
                 matched(there.predictions, o_.compare.string(), report.evaluation.predictions,
                         o_.model.string()));
  }

  void add_compared(EvalReport& report, const fs::path& name, const Predictions& other) const {
    report.compared.push_back(
        {name.string(), measure(other, clusters_, o_.bootstrap),
         compare(report.evaluation.predictions, other, clusters_, o_.bootstrap)});
  }

  void write(const EvalReport& report, const PackedDataset& data) const {
    std::fputs(eval_text(report).c_str(), o_.json == "-" ? stderr : stdout);
    if (!o_.json.empty()) {
      const std::string json = json_text(eval_json(report), 2) + "\n";
      if (o_.json == "-") {
        std::fputs(json.c_str(), stdout);
      } else {
        write_atomically(o_.json, {json});
      }
    }
    if (is_page_path(o_.plot)) write_atomically(o_.plot, {eval_page(report)});
    draw(report, data);
  }

#ifdef HAVE_CAIRO
  void draw(const EvalReport& report, const PackedDataset& data) const {
    const Evaluation& e = report.evaluation;
    const std::string title = o_.model.filename().string() + " on " + data.info().source +
                              (o_.eval.split.empty() ? "" : ", " + o_.eval.split);
    char caption[160];
    if (!o_.plot.empty() && !is_page_path(o_.plot)) {
      std::snprintf(caption, sizeof caption, "accuracy %.1f %%, macro recall %.1f %%, %lld faces",
                    e.confusion.accuracy() * 100, e.confusion.macro_recall() * 100,
                    static_cast<long long>(e.confusion.total()));
      plot_confusion(o_.plot, e.confusion, title, caption);
    }
    if (!o_.reliability.empty()) {
      std::snprintf(caption, sizeof caption,
                    "15 bins of equal mass, expected calibration error %.1f %%, %lld faces",
                    report.measures.ece_equal_mass.value * 100,
                    static_cast<long long>(e.confusion.total()));
      plot_reliability(o_.reliability, e.predictions, title, caption);
    }
  }
#else
  void draw(const EvalReport&, const PackedDataset&) const {}
#endif

  Options& o_;
  Clusters clusters_;
};

/// Empty for names of expressions only.
std::string check_class(const std::string& name) {
  if (canonical_label(name)) return "";
  return "\"" + name + "\" names no expression; expected any of " + join(ferplus_labels());
}

/// Empty for a picture's path.
std::string check_picture(const std::string& path) {
#ifdef HAVE_CAIRO
  return is_plot_path(path) ? "" : path + ": expected a path that ends in .png or .svg";
#else
  return path + ": cannot be drawn, since this program was built without Cairo";
#endif
}

/// Likewise for a page's.
std::string check_plot(const std::string& path) {
  if (is_page_path(path)) return "";
  const std::string fault = check_picture(path);
  return fault.empty() || !fault.ends_with(".svg") ? fault : fault + ", or in .html for a page";
}

void require_rising(const std::vector<double>& edges) {
  for (std::size_t i = 1; i < edges.size(); ++i) {
    if (!(edges[i] > edges[i - 1])) {
      throw CLI::ValidationError("--group-edges", "expected numbers that rise");
    }
  }
}

void add_statistics(CLI::App& c, Options& o) {
  const std::map<std::string, Resampled> kinds{
      {"auto", Resampled::kAuto}, {"images", Resampled::kImages}, {"persons", Resampled::kPersons}};
  c.add_option("--resample", o.resampled,
               "What is drawn whole for the intervals: images, persons, or auto: persons where the "
               "data knows them, else images")
      ->transform(choices(kinds))
      ->default_str("auto");
  c.add_option("--resamples", o.bootstrap.resamples,
               "Resamples for the 95 % intervals; 0: no intervals")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  c.add_option("--seed", o.bootstrap.seed, "Seed of the resamples")
      ->check(seed_range())
      ->capture_default_str();
  c.add_option("--prior-corrections", o.prior_corrections,
               "Also say what these corrections would give, separated by commas: .25,.5,.75,1")
      ->delimiter(',')
      ->check(finite_range(0, 2));
  CLI::Option* column = c.add_option("--group-by", o.grouping.column,
                                     "Figures for each value of this column of the data");
  c.add_option("--group-from-name", o.grouping.name_field,
               "Figures for each value of this part of the images' names, from 1, cut at each _ "
               "(2 is the sex in UTKFace's age_sex_race_date.jpg)")
      ->check(CLI::Range(1, 100))
      ->excludes(column);
  c.add_option("--group-edges", o.grouping.edges,
               "The groups are the ranges between these numbers, separated by commas")
      ->delimiter(',')
      ->check(finite_range(-1e9, 1e9));
  c.add_option("--compare", o.compare,
               "Another model: say how far this one differs from it on the same faces")
      ->check(CLI::ExistingFile);
  c.add_option("--compare-predictions", o.compare_predictions,
               "The same with what --predictions wrote")
      ->check(CLI::ExistingFile);
}

}  // namespace

void add_eval(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("eval");
  c->add_option(
      "--model", o->model,
      "The model file, or an ONNX network with its description beside it; otherwise the shipped "
      "model is looked for");
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
                "equally common; otherwise as the model's file says")
      ->check(finite_range(0, 2));
  const std::map<std::string, Precision> precisions{{"fp32", Precision::kFp32},
                                                    {"bf16", Precision::kBf16}};
  c->add_option("--precision", o->precision, "Arithmetic of the convolutions: fp32 or bf16")
      ->transform(choices(precisions))
      ->default_str("fp32");
  add_statistics(*c, *o);
  c->add_option("--json", o->json, "Write the report here; -: to stdout, and the text to stderr");
  c->add_option("--predictions", o->predictions,
                "Write what the model says of each face here (CSV)");
  c->add_option("--plot", o->plot,
                "Draw the confusion matrix here (.png or .svg), or everything as a page to look "
                "into (.html)")
      ->check(CLI::Validator(check_plot, "PATH"));
  c->add_option("--reliability", o->reliability,
                "Draw accuracy against confidence here (.png or .svg)")
      ->check(CLI::Validator(check_picture, "PATH"));
  c->callback([o] {
    if (!o->grouping.edges.empty() && !o->grouping)
      throw CLI::RequiredError("--group-edges: --group-by or --group-from-name");
    require_rising(o->grouping.edges);
    Run(*o).run();
  });
}

}  // namespace fer
