#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "commands/deprecated_option.h"
#include "commands/device_option.h"
#include "data/stream_label_file.h"
#include "evaluation/adaptation.h"
#include "evaluation/evaluation.h"
#include "evaluation/simulated_labelling.h"
#include "evaluation/stream_order.h"
#include "files/file_kind.h"
#include "learn/run/module_run.h"
#include "model/atomic_file.h"
#include "model/find_model.h"
#include "network/model_file.h"
#include "program/choices.h"
#include "program/finite_range.h"
#include "report/report.h"
#include "terminal/output_files.h"
#include "terminal/progress.h"
#include "util/join.h"
#include "util/json_text.h"
#include "util/without_secrets.h"
#ifdef HAVE_VIDEO
#include "data/video_faces.h"
#endif

namespace fer {
namespace {

enum class Method { kOnline, kTent, kNone };
enum class Stages { kPrototypes, kSteps, kBoth };

/// Labelled faces to watch.
struct WatchOptions {
  std::filesystem::path data;
  std::string split;
  std::vector<std::string> classes;
};

struct Options : DataOptions {
  std::filesystem::path model, out, json, report;
  std::vector<std::string> inputs;
  std::string split;
  StreamOrder order = StreamOrder::kFile;
  std::uint64_t order_seed = 1;
  double sample_interval = 0.2;  ///< Seconds, as ferlearn's.
  Method method = Method::kOnline;
  OnlineLearner::Labelled labelled;
  std::vector<std::string> without;
  OnlineConfig config;
  TentConfig tent;
  int passes = 1, max_steps = 0, threads = 0;
  WatchOptions target, source;
  double target_prior_correction = 0;
  std::filesystem::path labels;
  std::string labels_split;
  int labels_per_class = 0;
  SimulatedLabelling::Plan answers;
  Stages stages = Stages::kBoth;
};

const char* name_of(Method method) {
  switch (method) {
    case Method::kOnline:
      return "online";
    case Method::kTent:
      return "tent";
    case Method::kNone:
      return "none";
  }
  return "";
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void print(const LearnerStats& s) {
  std::printf("%-12s %10s %10s %9s\n", "label", "threshold", "accepted", "rate");
  for (const auto& c : s.classes) {
    std::printf("%-12s %10.3f %10llu %8.1f %%\n", c.label.c_str(), c.threshold,
                static_cast<unsigned long long>(c.accepted), c.accept_rate * 100);
  }
  std::string refused;
  for (const auto& [why, count] : s.refused)
    refused += (refused.empty() ? "" : ", ") + std::to_string(count) + " " + why;
  std::printf("faces        %llu learnt from%s%s\n", static_cast<unsigned long long>(s.faces),
              refused.empty() ? "" : "; refused: ", refused.c_str());
  std::printf(
      "steps        %llu, %llu promotions, %llu kept, %llu rolled back\n",
      static_cast<unsigned long long>(s.steps), static_cast<unsigned long long>(s.promotions),
      static_cast<unsigned long long>(s.kept), static_cast<unsigned long long>(s.rollbacks));
  if (!s.reason.empty()) {
    std::printf("decision     %s%s%s\n", s.decision.c_str(), s.decision.empty() ? "none: " : ": ",
                s.reason.c_str());
  }
  std::printf("canary       macro recall %.2f %% of the source, %.2f %% of what serves\n",
              s.source_score * 100, s.serving_score * 100);
  std::printf("             accuracy     %.2f %% of the source, %.2f %% of what serves\n",
              s.source_accuracy * 100, s.serving_accuracy * 100);
}

/// First, lowest and last figure of what was watched.
void print_watched(const std::vector<nlohmann::json>& history, const char* kind, const char* key,
                   const char* name) {
  if (history.empty() || !history.front().contains(kind)) return;
  double min = 1;
  for (const auto& seen : history) min = std::min(min, seen[kind][key].get<double>());
  std::printf("%-12s %s %.2f %% before, %.2f %% after, %.2f %% at worst\n", kind, name,
              history.front()[kind][key].get<double>() * 100,
              history.back()[kind][key].get<double>() * 100, min * 100);
}

/// Simulated answers between two looks at what is watched.
constexpr int kLookEvery = 16;

class Run {
 public:
  explicit Run(Options& options)
      : o_(options), path_(o_.model.empty() ? require_expression_model() : o_.model) {}

  void run() {
    std::vector<std::filesystem::path> read{path_, o_.target.data, o_.source.data, o_.labels};
    read.insert(read.end(), o_.inputs.begin(), o_.inputs.end());
    if (o_.method == Method::kOnline) {
      const OnlineLearner::Labelled labelled = o_.labelled.or_beside(path_);
      read.insert(read.end(), {labelled.replay, labelled.canary});
    }
    require_outputs({o_.out, o_.json, o_.report}, read);
    if (!o_.report.empty()) require_chart_library();
    for (const std::string& name : o_.without) {
      if (name == "all") {
        for (const std::string& guard : guard_names()) guard_named(o_.config.guards, guard) = false;
      } else {
        guard_named(o_.config.guards, name) = false;
      }
    }
    o_.config.prototypes.enabled = o_.stages != Stages::kSteps;
    o_.config.gradient_steps = o_.stages != Stages::kPrototypes;
    prepare_process(o_.threads);
    source_ = read_model(path_);
    if (o_.method == Method::kTent) {
      TentAdapter adapter(source_, o_.tent);
      adapt(adapter);
      finish(adapter, nullptr);
    } else if (o_.method == Method::kNone) {
      NoAdapter adapter(source_);
      adapt(adapter);
      finish(adapter, nullptr);
    } else {
      o_.config.device = resolve_device(o_.config.device);
      tell_device(o_.config.device);
      OnlineLearner learner(source_, o_.labelled.or_beside(path_), o_.config);
      split_point_ = learner.split_point();
      if (!o_.labels.empty() || o_.labels_per_class > 0) label(learner);
      OnlineAdapter adapter(learner, o_.max_steps);
      adapt(adapter, [&](Adaptation& adaptation) { answer(learner, adapter, adaptation); });
      finish(adapter, &adapter);
    }
  }

 private:
  std::unique_ptr<WatchedFaces> watched(const WatchOptions& wanted) const {
    if (wanted.data.empty()) return nullptr;
    ReadOptions read = o_.read_options();
    read.split = wanted.split;
    const DataSource data(wanted.data, o_.align, source_.info.crops(), read);
    require_fit(source_.info, path_.string(), data.data().info(), wanted.data.string());
    return std::make_unique<WatchedFaces>(data.data(), wanted.split, wanted.classes, source_,
                                          split_point_);
  }

  static bool is_still(const std::string& input) {
    return input.find("://") == std::string::npos && !is_video(input);
  }

  /// The faces of an input of images, read once.
  const DataSource& images_of(const std::string& input) {
    std::unique_ptr<DataSource>& images = images_[input];
    if (!images) {
      ReadOptions read = o_.read_options();
      read.split = o_.split;
      read.labelled = o_.order == StreamOrder::kDirichlet || o_.order == StreamOrder::kClasses ||
                      (o_.labels.empty() && o_.labels_per_class > 0) || o_.answers.labels > 0;
      images = std::make_unique<DataSource>(input, o_.align, source_.info.crops(), read);
      require_fit(source_.info, path_.string(), images->data().info(), input);
    }
    return *images;
  }

  /// Gives the learner labelled faces of the stream: those of --labels, else some of the input's
  /// own.
  void label(OnlineLearner& learner) {
    if (o_.labels.empty()) {
      const std::string& input = o_.inputs.front();
      if (!is_still(input))
        throw std::runtime_error(input + ": a video has no labels to draw from; name --labels");
      teach(learner, images_of(input).data(), o_.split);
      return;
    }
    require_named_stream(o_.labels, o_.inputs);
    ReadOptions read = o_.read_options();
    read.split = o_.labels_split;
    const DataSource source(o_.labels, o_.align, source_.info.crops(), read);
    // A video's faces are cut from other frames than those that somebody labelled.
    if (std::all_of(o_.inputs.begin(), o_.inputs.end(), is_still)) {
      std::vector<ShownFaces> streams;
      for (const std::string& input : o_.inputs) {
        const PackedDataset& images = images_of(input).data();
        streams.push_back({&images, images.rows(o_.split)});
      }
      require_faces_of(streams, source.data(), labels_of(source.data(), o_.labels_split),
                       join(o_.inputs));
    }
    teach(learner, source.data(), o_.labels_split);
  }

  std::vector<StreamLabel> labels_of(const PackedDataset& data, const std::string& split) const {
    return stream_labels(data, split, o_.labels_per_class, o_.config.seed, source_.info);
  }

  void teach(OnlineLearner& learner, const PackedDataset& data, const std::string& split) const {
    const std::vector<StreamLabel> rows = labels_of(data, split);
    for (const StreamLabel& one : rows) {
      const auto crop = data.crop(one.row);
      FaceSample face;
      face.crop.assign(crop.begin(), crop.end());
      learner.add_label(face, one.label);
    }
    std::printf("labels       %zu faces of the stream\n", rows.size());
  }

  /// Answers the learner's questions by the input's own labels.
  void answer(OnlineLearner& learner, OnlineAdapter& adapter, Adaptation& adaptation) {
    if (o_.answers.labels == 0) return;
    const std::string& input = o_.inputs.front();
    if (!is_still(input))
      throw std::runtime_error(input + ": a video has no labels by which to answer questions");
    const PackedDataset& images = images_of(input).data();
    o_.answers.by.seed = o_.config.seed << 20;
    SimulatedLabelling people(learner, images, images.rows(o_.split), o_.answers);
    Progress progress("labelling");
    int looked = 0;
    people.run([&](int spent) {
      adapter.tell_decision();
      if (spent - looked >= kLookEvery || spent >= o_.answers.labels) {
        adaptation.look({{"labels", spent}, {"labels_per_class", people.per_class()}});
        looked = spent;
      }
      progress.update(spent, o_.answers.labels, std::to_string(spent) + " answers");
    });
  }

  /// `after`: once all faces were shown.
  void adapt(Adapter& adapter, const std::function<void(Adaptation&)>& after = {}) {
    Watched watched{this->watched(o_.target), this->watched(o_.source), o_.target_prior_correction};
    Adaptation adaptation(adapter, watched);
    try {
      for (int pass = 0; pass < o_.passes; ++pass) {
        // Tracks count anew in each video and pass: other people, as far as the learner can know.
        for (const std::string& input : o_.inputs) {
          const std::string name = without_secrets(input);
          show(input, o_.passes > 1 ? name + "#" + std::to_string(pass) : name, adaptation,
               adapter);
        }
      }
      adaptation.finish();
      if (after) after(adaptation);
    } catch (const Interrupted&) {
      if (adaptation.faces() == 0) throw;
      stopped_ = true;
      std::fprintf(stderr, "note: stopped; what was learnt so far is judged and written\n");
      adaptation.stop();
    }
    history_ = adaptation.history();
  }

  static std::string note(const Adaptation& adaptation, const Adapter& adapter) {
    return std::to_string(adaptation.faces()) + " faces, " + std::to_string(adapter.steps()) +
           " steps";
  }

  /// `name`: of the source that the faces are said to be of.
  void show(const std::string& input, const std::string& name, Adaptation& adaptation,
            const Adapter& adapter) {
    if (!is_still(input)) {
      show_video(input, name, adaptation, adapter);
      return;
    }
    const DataSource& images = images_of(input);
    const auto rows =
        in_stream_order(images.data(), images.data().rows(o_.split), o_.order, o_.order_seed);
    Progress progress("adapting");
    show_stills(adaptation, name, images.data(), rows, [&](std::size_t done) {
      progress.update(static_cast<double>(done), static_cast<double>(rows.size()),
                      note(adaptation, adapter));
    });
  }

  void show_video(const std::string& video, const std::string& name, Adaptation& adaptation,
                  const Adapter& adapter) {
#ifdef HAVE_VIDEO
    Progress progress("adapting");
    each_video_face(
        video, source_.info.crops(), {o_.sample_interval, /*max=*/0},
        [&](const VideoPlace& place, std::vector<VideoFace> found) {
          std::vector<FaceSample> faces;
          for (VideoFace& face : found) {
            faces.push_back({std::move(face.crop), name, static_cast<std::int64_t>(face.track),
                             static_cast<std::int64_t>(place.time * 1e9), face.confidence,
                             face.size});
          }
          if (!faces.empty()) adaptation.take(std::move(faces));
          progress.update(place.time, std::max(place.time, place.duration),
                          note(adaptation, adapter));
        });
#else
    (void)name;
    (void)adaptation;
    (void)adapter;
    throw std::runtime_error(video + ": this build of fer reads no videos; it needs GStreamer");
#endif
  }

  /// Writes what came of it and tells. `online`: the same adapter, null for a method without a
  /// learner.
  void finish(const Adapter& adapter, const OnlineAdapter* online) {
    ModelFile serving = adapter.serving();
    const bool promoted = serving.info.version != source_.info.version;
    if (online) print(online->learner().stats());
    print_watched(history_, "target", "macro_recall", "macro recall");
    print_watched(history_, "source", "accuracy", "accuracy    ");
    if (promoted) {
      write_model(o_.out, serving);
      std::printf("%s: version %s, adapted from %s\n", o_.out.c_str(), serving.info.version.c_str(),
                  source_.info.version.c_str());
    } else {
      write_atomically(o_.out, {bytes_of(path_)});
      std::printf("%s: nothing better was found; it is a copy of %s\n", o_.out.c_str(),
                  path_.c_str());
    }
    nlohmann::json done{
        {"model", path_.string()},      {"source_version", source_.info.version},
        {"method", name_of(o_.method)}, {"target_prior_correction", o_.target_prior_correction},
        {"promoted", promoted},         {"steps", adapter.steps()},
        {"watched", history_}};
    if (online) {
      done["config"] = o_.config;
      done["stats"] = online->learner().stats();
      done["decisions"] = online->decisions();
    }
    if (!o_.json.empty()) write_atomically(o_.json, {json_text(done, 2) + "\n"});
    if (!o_.report.empty() && online) {
      write_atomically(o_.report, {learner_page(o_.out.stem().string(), online->told())});
      std::printf("%s: what was learnt and decided\n", o_.report.c_str());
    }
    if (stopped_) throw Interrupted();
    if (!promoted) throw CLI::RuntimeError(kNothingBetter);
  }

  Options& o_;
  const std::filesystem::path path_;  ///< Of the source model.
  ModelFile source_;
  std::optional<int> split_point_;
  std::map<std::string, std::unique_ptr<DataSource>> images_;  ///< By input.
  bool stopped_ = false;
  std::vector<nlohmann::json> history_;
};

void add_watch(CLI::App& c, WatchOptions& watch, const std::string& name, const char* what) {
  CLI::Option* data = c.add_option("--" + name, watch.data, what)->group("Watching");
  c.add_option("--" + name + "-split", watch.split, "Of these, this split only")
      ->needs(data)
      ->group("Watching");
  c.add_option("--" + name + "-classes", watch.classes,
               "Of these, these classes only, with commas between")
      ->delimiter(',')
      ->needs(data)
      ->group("Watching");
}

void add_learning(CLI::App& c, OnlineConfig& config, std::vector<std::string>& without) {
  const auto add = [&](const char* name, auto& value, const char* what) {
    return c.add_option(name, value, what)->capture_default_str()->group("Learning");
  };
  add("--thresholds", config.threshold_policy,
      "Which pseudo-labels are trusted: fixed, flex, free, soft, ada-cm or dta, with settings as "
      "in dta:beta=0.95");
  add("--negatives", config.negative_policy,
      "Which classes faces are taught not to be: none, ups, fullmatch, lowest, argmin or snl");
  add("--learning-rate", config.learning_rate, "Step size of the student")
      ->check(finite_range(0, 1));
  add("--ema", config.ema, "Decay of the teacher's weights, a step")
      ->check(finite_range(0, 0.999999));
  add("--weight-anchor", config.weight_anchor,
      "Share of the way back to the source's weights, a step")
      ->check(finite_range(0, 1));
  add("--prior-correction", config.prior_correction,
      "Power of the model's prior that is divided out of the teacher's word")
      ->check(finite_range(0, 1));
  add("--distillation-weight", config.distillation_weight,
      "Share of the replay's targets that is what the source says, the rest being labels")
      ->check(finite_range(0, 1));
  add("--keep-prior", config.keep_prior,
      "Power of the model's prior that is taught, however often each class is drawn")
      ->check(finite_range(0, 1));
  add("--max-unsure", config.max_unsure,
      "Largest share of a source's faces of which the model to begin from may be unsure, as it is "
      "of one known face in twenty; beyond it, nothing is learnt from the source")
      ->check(finite_range(0, 1));
  add("--reuse", config.reuse, "How often a remembered face is drawn, on average")
      ->check(finite_range(0.01, 1e6));
  add("--min-memory", config.min_memory, "Remembered faces before the first step");
  add("--frozen-blocks", config.frozen_blocks,
      "Residual blocks that never change; -1: as the replay file says, else all but the last "
      "stage's")
      ->check(CLI::Range(-1, 1000));
  add("--canary-interval", config.canary_interval, "Steps between two decisions");
  add("--canary-margin", config.canary_margin,
      "What a candidate may lose on the canary and still serve")
      ->check(finite_range(0, 1));
  add_deprecated(c, "--pull", config.weight_anchor, "--weight-anchor");
  add_deprecated(c, "--anchor", config.distillation_weight, "--distillation-weight");
  add_deprecated(c, "--most-unsure", config.max_unsure, "--max-unsure");
  add_deprecated(c, "--least-memory", config.min_memory, "--min-memory");
  add("--prototype-mix", config.prototypes.mix,
      "Weight of class prototypes of the stream's faces beside the model's own head")
      ->check(finite_range(0, 1));
  add("--prototypes-per-class", config.prototypes.per_class,
      "Faces that a prototype averages, at most")
      ->check(CLI::Range(1, 100000));
  c.add_option("--without", without,
               "Take a guard away (for experiments): all, " + join(guard_names()))
      ->group("Learning");
}

}  // namespace

void add_adapt(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("adapt");
  c->add_option("--model", o->model, "The model to begin from; otherwise the one that ships")
      ->check(CLI::ExistingFile);
  c->add_option("--input", o->inputs,
                "A video, a URI, or images in order: a CSV with header (image, optionally person "
                "and split), or a packed dataset; labels are not learnt from")
      ->required();
  c->add_option("--split", o->split, "Of images, take this split only");
  const std::map<std::string, StreamOrder> orders{{"file", StreamOrder::kFile},
                                                  {"persons", StreamOrder::kPersons},
                                                  {"dirichlet", StreamOrder::kDirichlet},
                                                  {"classes", StreamOrder::kClasses}};
  c->add_option("--order", o->order,
                "Of images: file (as they stand there), persons (each in one go), dirichlet "
                "(expressions in waves) or classes (sorted by expression)")
      ->transform(choices(orders))
      ->default_str("file");
  c->add_option("--order-seed", o->order_seed, "Of that order")
      ->check(seed_range())
      ->capture_default_str();
  c->add_option("--sample-interval", o->sample_interval,
                "Of videos: seconds between two looks at the face of one track")
      ->check(finite_range(0, 60))
      ->capture_default_str();
  c->add_option("--passes", o->passes,
                "Show the inputs so often; each time they count as other people: for short clips")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  o->add_align(*c);
  o->add_max_unreadable(*c);
  c->add_option("--replay", o->labelled.replay,
                "Labelled faces that are taught on: a packed dataset (its split train) or a file "
                "of `fer replay`; otherwise the model's own, beside it");
  c->add_option("--canary", o->labelled.canary,
                "Labelled faces that judge candidates: a packed dataset (its split valid) or a "
                "file of `fer replay`; otherwise the model's own, beside it");
  c->add_option("--out", o->out, "The adapted model, or a copy of the one it began from")
      ->required();
  c->add_option("--report", o->report, "Draw what was learnt and decided as a page (HTML)");
  c->add_option("--json", o->json, "Write what was learnt and decided here");
  c->add_option("--seed", o->config.seed, "Of all that is random")
      ->check(seed_range())
      ->capture_default_str();
  c->add_option("--max-steps", o->max_steps, "Stop learning after so many steps; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  c->add_option("--threads", o->threads, "Threads to learn on; 0: one a core")
      ->check(CLI::Range(0, 1024));
  add_device(*c, o->config.device);
  const std::map<std::string, Stages> stages{
      {"prototypes", Stages::kPrototypes}, {"steps", Stages::kSteps}, {"both", Stages::kBoth}};
  c->add_option("--stages", o->stages,
                "What may adapt the model: prototypes (a new head, no gradient), steps (gradient "
                "steps) or both (steps serve where they are better)")
      ->transform(choices(stages))
      ->default_str("both");
  c->add_option("--labels", o->labels,
                "A few labelled faces of the stream itself (5 to 20 a class): a CSV with header "
                "(image, label; for videos optionally stream, the input's name), or a packed "
                "dataset. They fit the head, set the thresholds and judge candidates")
      ->check(CLI::ExistingFile);
  c->add_option("--labels-split", o->labels_split, "Of these, this split only");
  c->add_option("--labels-per-class", o->labels_per_class,
                "Draw so many of each class by the seed, without --labels from the input's own "
                "labels, to see what they are worth; 0: take all")
      ->check(CLI::NonNegativeNumber);
  c->add_option("--simulate-labels", o->answers.labels,
                "Afterwards, let the learner ask so many questions, answered by the input's own "
                "labels: what people's labels would be worth")
      ->check(CLI::NonNegativeNumber);
  const std::map<std::string, Picking> pickings{
      {"worth", Picking::kWorth}, {"unsure", Picking::kUnsure}, {"random", Picking::kRandom}};
  c->add_option("--picking", o->answers.by.picking,
                "What the learner asks about then: worth (as it asks people), unsure (margin "
                "sampling) or random")
      ->transform(choices(pickings))
      ->default_str("worth");
  const std::map<std::string, Method> methods{
      {"online", Method::kOnline}, {"tent", Method::kTent}, {"none", Method::kNone}};
  c->add_option(
       "--method", o->method,
       "online (what ferlearn does) or, to compare with it, tent, which nothing guards, or "
       "none, which learns nothing")
      ->transform(choices(methods))
      ->default_str("online");
  add_learning(*c, o->config, o->without);
  add_watch(*c, o->target, "target",
            "Labelled faces of the stream's kind, to watch how well they are told; nothing is "
            "learnt from them");
  c->add_option("--target-prior-correction", o->target_prior_correction,
                "Tell the faces of --target with this power of the model's prior divided out, as "
                "ferinfer's prior-correction does")
      ->check(finite_range(0, 2))
      ->capture_default_str()
      ->group("Watching");
  add_watch(*c, o->source, "source",
            "Labelled faces of the kind that the model was trained on, to watch what is forgotten");
  c->footer(
      "Exit codes: 0 promoted, 3 nothing better found, 1 bad input, 130 stopped (what was learnt "
      "until then is judged and written).");
  c->callback([o] { Run(*o).run(); });
}

}  // namespace fer
