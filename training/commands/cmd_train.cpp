#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "commands/device_option.h"
#include "commands/processes.h"
#include "commands/resumable_run.h"
#include "commands/ssl_training.h"
#include "commands/training_progress.h"
#include "learn/supervised/trainer.h"
#include "program/choices.h"
#include "program/finite_range.h"
#include "terminal/progress.h"
#include "util/join.h"

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path out;
  std::string network = "fernet";
  std::filesystem::path init;
  TrainConfig train;
  SslRequest semi;
  std::string method, thresholds, negatives;
  std::string gate = "none";
  bool resume = false;
  Processes processes;
  // Settings that both kinds of training have, with defaults of their own.
  std::optional<int> batch;
  std::optional<double> learning_rate;
  // Parts of the network that differ from its preset.
  std::optional<int> attention_branches;
  std::optional<double> drop_branch, drop_feature;
  std::optional<double> lambda_x, lambda_u, lambda_n;
  CLI::Option* size_option = nullptr;
};

template <typename T>
void take(T& value, const std::optional<T>& given) {
  if (given) value = *given;
}

NetworkConfig network_of(const Options& o) {
  NetworkConfig network = network_preset(o.network);
  take(network.attention_branches, o.attention_branches);
  take(network.drop_branch, o.drop_branch);
  take(network.drop_feature, o.drop_feature);
  return network;
}

void run_supervised(Options& o) {
  if (!o.init.empty()) o.train.init = InitialWeights(o.init);
  o.train.network = network_of(o);
  take(o.train.batch, o.batch);
  take(o.train.learning_rate, o.learning_rate);
  if (o.processes.writes()) require_startable(o.out, o.train);
  const DataSource source(o.data, o.align, o.crop_format(), o.read_options());
  const PackedDataset& data = source.data();
  o.train.network.input_size = data.info().crops.side;
  o.train.network.channels = data.info().crops.channels;
  o.train.network.classes = static_cast<int>(data.info().labels.size());

  Progress progress("training");
  const TrainResult result = train(
      data, o.train, o.out,
      [&](const TrainProgress& p) { show_epochs(progress, p, o.train.epochs, "images"); },
      [&](const nlohmann::json& entry) {
        const auto e = entry.get<ExpressionEpoch>();
        progress.clear();
        std::printf("epoch %3d  loss %.4f  valid: accuracy %.2f %%, macro recall %.2f %%\n",
                    e.epoch + 1, e.loss, e.accuracy * 100, e.macro_recall * 100);
        std::fflush(stdout);
      },
      stop_requested, o.processes.group());
  progress.clear();
  end_if_stopped(result, o.out, o.processes.writes());
  if (!o.processes.writes()) return;
  const auto best = result.best.get<ExpressionEpoch>(), last = result.last.get<ExpressionEpoch>();
  std::printf("best.fer: epoch %d, accuracy %.2f %% on valid; last.fer: %.2f %%; both in %s\n",
              best.epoch + 1, best.accuracy * 100, last.accuracy * 100, o.out.c_str());
}

/// The method with what was asked for in its place.
Method method_of(const Options& o) {
  Method method = method_named(o.method);
  if (!o.thresholds.empty()) method.thresholds = o.thresholds;
  if (!o.negatives.empty()) {
    method.negatives = o.negatives;
    const bool none = o.negatives == "none";
    if (none || method.lambda_n == 0) method.lambda_n = none ? 0 : kDefaultLambdaN;
  }
  if (method.thresholds.empty() && !o.negatives.empty())
    throw CLI::ValidationError("--negatives", "method " + o.method + " looks at labels alone");
  take(method.lambda_x, o.lambda_x);
  take(method.lambda_u, o.lambda_u);
  take(method.lambda_n, o.lambda_n);
  return method;
}

void start_semi_supervised(Options& o) {
  if (o.method.empty()) throw CLI::RequiredError("--method");
  SslRequest& semi = o.semi;
  semi.train.method = method_of(o);
  semi.train.network = network_of(o);
  if (!o.init.empty()) semi.train.init = InitialWeights(o.init);
  semi.init = o.init;
  semi.self_gate = o.gate == "self";
  semi.train.weight_decay = o.train.weight_decay;
  semi.train.momentum = o.train.momentum;
  semi.train.ema = o.train.ema;
  semi.train.bf16 = o.train.bf16;
  semi.train.device = o.train.device;
  semi.train.threads = o.train.threads;
  semi.train.seed = o.train.seed;
  take(semi.train.batch, o.batch);
  take(semi.train.learning_rate, o.learning_rate);
  semi.min_votes = o.train.min_votes;
  semi.align = o.align;
  semi.shape = o.crop_format();
  if (o.size_option->count() == 0) semi.shape.side = semi.train.network.input_size;
  semi.read = o.read_options();
  semi.out = o.out;
  run_semi_supervised(semi, o.processes);
}

void run(Options& o) {
  if (o.data.empty() && o.semi.labelled.empty()) throw CLI::RequiredError("--data or --labeled");
  o.processes.join(o.train.device);
  settle_device(o.train.device, o.processes.group());
  if (o.resume && o.processes.writes()) require_checkpoint(o.out);
  if (!o.semi.labelled.empty()) return start_semi_supervised(o);
  run_supervised(o);
}

/// Refuses text that names no policy, by the factories' own sentence.
CLI::Validator policy_check(std::string Method::*policy) {
  return CLI::Validator(
      [policy](std::string& text) -> std::string {
        Method method;
        method.*policy = text;
        try {
          describe_policies(method, network_preset("fernet").classes);
        } catch (const std::runtime_error& error) {
          return error.what();
        }
        return {};
      },
      "", "policy");
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : methods()) names.push_back(method.name);
  return names;
}

/// Options of supervised training from --data.
void add_supervised(CLI::App& c, TrainConfig& t, CLI::Option* labelled) {
  const auto add = [&](const char* name, auto& value, const char* description) {
    return c.add_option(name, value, description)
        ->excludes(labelled)
        ->group("Supervised training (--data)");
  };
  add("--epochs", t.epochs, "Times that the data is gone through")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  add("--layer-decay", t.layer_decay,
      "Learning rate of a stage relative to the one above: less than 1 for a start that knows much")
      ->check(finite_range(0.01, 1))
      ->capture_default_str();
  add("--early-epochs", t.early_epochs, "Share of the epochs that see smaller images, for speed")
      ->check(finite_range(0, 1))
      ->capture_default_str();
  add("--early-side", t.early_side, "Side of those images, as a share")
      ->check(finite_range(0.25, 1))
      ->capture_default_str();
  add("--mixup", t.mixup, "Alpha of mixup; 0: off")
      ->check(finite_range(0, 1000))
      ->capture_default_str();
  add("--erase", t.augment.erase, "Probability of random erasing")
      ->check(finite_range(0, 1))
      ->capture_default_str();
  add("--balance", t.balance, "Draw rows by (class share)^-balance; 0: as they are")
      ->check(finite_range(0, 1))
      ->capture_default_str();
  add("--teacher", t.teachers, "Model files whose mean probability teaches (distillation)")
      ->check(CLI::ExistingFile);
  add("--distill", t.distill, "The teachers' share of the target")
      ->check(finite_range(0, 1))
      ->capture_default_str();
}

/// Options of semi-supervised training from --labeled.
void add_semi_supervised(CLI::App& c, Options& o, CLI::Option* labelled) {
  const char* group = "Semi-supervised training (--labeled)";
  labelled->group(group);
  const auto add = [&](const char* name, auto& value, const std::string& description) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, bool>)
      return c.add_flag(name, value, description)->needs(labelled)->group(group);
    else
      return c.add_option(name, value, description)->needs(labelled)->group(group);
  };
  add("--unlabeled,--unlabelled", o.semi.unlabelled,
      "Datasets whose split train (all, where there is none) is learnt from without labels");
  add("--valid", o.semi.valid, "Dataset to select by (default: split valid of --labeled)");
  CLI::Option* count = add(
      "--labels-per-class", o.semi.labels_per_class,
      "Labels drawn of each class; the rest of split train counts as unlabelled (default: all)");
  count->check(CLI::Range(1, 1000000));
  add("--label-share", o.semi.label_share,
      "Share of each class's labels that is used instead; the rest counts as unlabelled")
      ->check(finite_range(1e-6, 1))
      ->excludes(count);
  add("--fewer-labels", o.semi.fewer_is_fine,
      "Classes with fewer labels than --labels-per-class give all that they have");
  add("--method", o.method, "One of " + join(method_names()))->check(CLI::IsMember(method_names()));
  add("--thresholds", o.thresholds,
      "Threshold policy instead of the method's, with settings where wanted, as in "
      "dta:beta=0.95,t-min=0.7: " +
          threshold_policies_text())
      ->check(policy_check(&Method::thresholds));
  add("--negatives", o.negatives,
      "Negative policy instead of the method's, as in snl:mass=0.05: " + negative_policies_text())
      ->check(policy_check(&Method::negatives));
  const auto weight = finite_range(0, 1000);
  add("--lambda-x", o.lambda_x, "Weight of the labelled loss instead of the method's")
      ->check(weight);
  add("--lambda-u", o.lambda_u, "Weight of the pseudo-labels' loss")->check(weight);
  add("--lambda-n", o.lambda_n, "Weight of the negative loss")->check(weight);
  add("--steps", o.semi.train.steps, "Steps in all")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  add("--epoch-steps", o.semi.train.epoch_steps,
      "Steps between two validations, log lines and checkpoints")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  add("--mu", o.semi.train.mu, "Unlabelled images for each labelled one in a step")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  add("--weak-views", o.semi.train.weak_views,
      "Weak views of each unlabelled image, over which the teacher's word is averaged")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  for (const char* gone : {"--frozen-blocks", "--view-cache", "--views"}) {
    c.add_option_function<std::string>(gone, [gone](const std::string&) {
       throw CLI::ValidationError(gone,
                                  "features took its place; make them with: fer pack "
                                  "--features MODEL --blocks N");
     })->group("");
  }
  add("--light-head", o.semi.light_head,
      "Above features (fer pack --features): channels of a new residual block; 0: the network's "
      "own "
      "upper half goes on from --init")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  add("--drop-channels", o.semi.train.drop_channels,
      "Above features: probability that a channel of a strong view is silent")
      ->check(finite_range(0, 0.95))
      ->capture_default_str();
  add("--gate", o.gate,
      "self: unlabelled faces that look unlike the labelled ones, and like copies of those upside "
      "down or in shuffled tiles, are not learnt from (needs features)")
      ->check(CLI::IsMember({"none", "self"}))
      ->capture_default_str();
  add("--only-unlabeled,--only-unlabelled", o.semi.only_unlabelled,
      "What is left of split train is not learnt from: --unlabeled alone is");
  add("--unlabeled-mix,--unlabelled-mix", o.semi.unlabelled_mix,
      "For experiments: shares of the classes among the unlabelled faces, whose labels are known, "
      "separated by commas")
      ->delimiter(',')
      ->check(finite_range(0, 1e6));
  add("--unlabeled-count,--unlabelled-count", o.semi.unlabelled_count,
      "With --unlabeled-mix: how many there are to be")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  add("--distractors", o.semi.distractors,
      "For experiments: datasets of what is no face, learnt from like --unlabeled; how many are "
      "accepted is logged");
  add("--warmup", o.semi.train.warmup,
      "Steps over which the learning rate and the unlabelled losses rise (default: a twentieth)")
      ->check(CLI::Range(0, 100000000));
  add("--select", o.semi.train.select, "What best.fer is best in on valid")
      ->transform(choices(std::map<std::string, std::string>{{"macro-recall", "macro_recall"},
                                                             {"accuracy", "accuracy"}}))
      ->default_str("macro-recall");
}

}  // namespace

void add_train(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("train");
  CLI::Option* data = o->add_to(*c)->required(false);
  o->size_option = c->get_option("--size");
  o->add_max_unreadable(*c);
  o->add_video(*c);
  CLI::Option* labelled = c->add_option("--labeled,--labelled", o->semi.labelled,
                                        "As --data, for semi-supervised training")
                              ->excludes(data);
  TrainConfig& t = o->train;
  c->add_option("--out", o->out, "Folder for last.fer, best.fer, log.jsonl and the checkpoint")
      ->required();
  c->add_flag("--resume", o->resume,
              "Refuse to start anew (a run goes on by itself where --out holds its checkpoint)");
  c->add_option("--network", o->network,
                "fernet, fernet-small, fernet-large, resnet18 or facenet (from fer import)")
      ->capture_default_str();
  c->add_option("--init", o->init,
                "Model file of the same network whose weights to start from, by fer pretrain or "
                "fer train; its head counts where its labels are the data's")
      ->check(CLI::ExistingFile);
  c->add_option("--attention-branches", o->attention_branches,
                "Branches of local attention instead of the network's; 0: no attention")
      ->check(CLI::Range(0, 64));
  c->add_option("--drop-branch", o->drop_branch,
                "Probability that a training step silences one branch of a face")
      ->check(finite_range(0, 0.99));
  c->add_option("--drop-feature", o->drop_feature,
                "Probability that a training step silences a feature map")
      ->check(finite_range(0, 0.99));
  c->add_option("--batch", o->batch,
                "Images a step, of all processes together; with --labeled, labelled ones (default: "
                "128; with --labeled 32)")
      ->check(CLI::Range(2, 65536));
  c->add_option("--learning-rate", o->learning_rate,
                "Peak; cosine to zero (default: 0.1; with --labeled 0.03)")
      ->check(finite_range(0, 1000));
  c->add_option("--weight-decay", t.weight_decay)
      ->check(finite_range(0, 1000))
      ->capture_default_str();
  c->add_option("--momentum", t.momentum)->check(finite_range(0, 1))->capture_default_str();
  c->add_option("--ema", t.ema, "Decay of the averaged weights, a step")
      ->check(finite_range(0, 1))
      ->capture_default_str();
  c->add_option("--min-votes", t.min_votes, "Votes below this count are taken as slips")
      ->capture_default_str();
  c->add_option("--seed", t.seed)->check(seed_range())->capture_default_str();
  c->add_option("--threads", t.threads, "0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  add_device(*c, t.device);
  c->add_flag("!--fp32", t.bf16, "Convolutions in fp32 rather than bfloat16");
  o->processes.add_to(*c);
  add_supervised(*c, t, labelled);
  add_semi_supervised(*c, *o, labelled);
  c->callback([o] { run(*o); });
}

}  // namespace fer
