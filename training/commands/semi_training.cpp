#include "commands/semi_training.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "commands/resumable_run.h"
#include "commands/training_progress.h"
#include "data/data_sources.h"
#include "learn/run/module_run.h"
#include "learn/semi/view_cache.h"
#include "report/run_record.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace fer {
namespace {

using nlohmann::json;

json asked_json(const SemiRequest& request, const SemiData& data, int processes) {
  json counts = json::object();
  for (const std::string& label : data.info.labels) counts[label] = 0;
  for (const FaceRef& face : data.labelled)
    counts[data.info.labels[static_cast<std::size_t>(face.label)]] =
        counts[data.info.labels[static_cast<std::size_t>(face.label)]].get<int>() + 1;
  return {{"labeled", request.labelled.string()},
          {"unlabeled", texts_of(request.unlabelled)},
          {"valid", request.valid.empty() ? json() : json(request.valid.string())},
          {"labels_per_class", request.labels_per_class},
          {"label_share", request.label_share},
          {"min_votes", request.min_votes},
          {"init", request.init.empty() ? json() : json(request.init.string())},
          {"options", request.train},
          {"policies", describe_policies(request.train.method, request.train.network.classes)},
          {"seed", request.train.seed},
          {"processes", processes},
          {"faces",
           {{"labelled", counts},
            {"unlabelled", data.unlabelled.size()},
            {"valid", data.valid.size()}}}};
}

/// "67.2 %", or "-" for null.
std::string percent(const json& share) {
  if (share.is_null()) return "-";
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", share.get<double>() * 100);
  return text;
}

void print_epoch(const json& entry) {
  const auto e = entry.get<ExpressionEpoch>();
  std::printf("step %6d  loss %.4f  ", e.step, e.loss);
  if (entry.contains("accept_rate"))
    std::printf("accepted %s, right %s  ", percent(entry["accept_rate"]).c_str(),
                percent(entry["purity"]).c_str());
  std::printf("valid: accuracy %s, macro recall %s\n", percent(e.accuracy).c_str(),
              percent(e.macro_recall).c_str());
  std::fflush(stdout);
}

void warn_of_never_accepted(const json& entry) {
  if (!entry.contains("never_accepted") || entry["never_accepted"].empty()) return;
  std::string classes;
  for (const std::string label : entry["never_accepted"]) {
    char threshold[16];
    std::snprintf(threshold, sizeof threshold, " (%.2f)", entry["thresholds"][label].get<double>());
    classes += (classes.empty() ? "" : ", ") + label + threshold;
  }
  std::fprintf(stderr, "warning: in %d steps no face was accepted as (with the threshold) %s\n",
               entry["step"].get<int>(), classes.c_str());
}

/// Maps the file, which it makes where there is none.
std::shared_ptr<const FaceViews> open_views(const std::filesystem::path& file, const SemiData& data,
                                            const SemiConfig& config) {
  if (!std::filesystem::exists(file)) {
    prepare_process(config.threads);
    Progress progress("making views");
    const bool whole = write_views(file, data, config, [&](std::size_t done, std::size_t all) {
      progress.update(static_cast<double>(done), static_cast<double>(all));
      return !stop_requested;
    });
    if (!whole) throw Interrupted();
  }
  return read_views(file, data, config);
}

}  // namespace

void run_semi_supervised(SemiRequest request, const Processes& processes) {
  SemiConfig& train = request.train;
  DataSources all(request.align, request.shape, request.read);
  SemiSources sources;
  sources.labelled = all.at(request.labelled);
  for (const auto& path : request.unlabelled) sources.unlabelled.push_back(all.at(path));
  if (!request.valid.empty()) sources.valid = all.at(request.valid);
  sources.labels_per_class = request.labels_per_class;
  sources.label_share = request.label_share;
  sources.fewer_is_fine = request.fewer_is_fine;
  sources.min_votes = request.min_votes;
  sources.seed = train.seed;
  const SemiData data = semi_data(sources);
  train.network.input_size = data.info.crops.side;
  train.network.channels = data.info.crops.channels;
  train.network.classes = static_cast<int>(data.info.labels.size());
  if (!request.view_cache.empty()) {
    if (processes.count() > 1)
      throw std::runtime_error("--view-cache: views are kept for one process, not for several");
    train.cache = open_views(request.view_cache, data, train);
  }
  RunRecord record(request.out / "run.json", asked_json(request, data, processes.count()));
  if (processes.writes()) {
    std::printf("%zu labelled faces of %zu classes, %zu unlabelled, %zu to select by\n",
                data.labelled.size(), data.info.labels.size(), data.unlabelled.size(),
                data.valid.size());
  }

  Progress progress("training");
  bool warned = false;
  const TrainResult result = train_semi_supervised(
      data, train, request.out,
      [&](const TrainProgress& p) {
        record.start();
        show_steps(progress, p, train.epoch_steps, train.steps);
      },
      [&](const json& epoch) {
        progress.clear();
        print_epoch(epoch);
        // Early enough to stop the run and think; what is still so at the end is said again.
        const int step = epoch["step"];
        if (step >= train.steps || (!warned && step >= train.steps / 4)) {
          warn_of_never_accepted(epoch);
          warned = true;
        }
      },
      stop_requested, processes.group());
  progress.clear();
  if (processes.writes()) record.finish(result);
  end_if_stopped(result, request.out, processes.writes());
  if (!processes.writes()) return;
  const auto best = result.best.get<ExpressionEpoch>(), last = result.last.get<ExpressionEpoch>();
  std::printf(
      "best.fer: step %d, accuracy %s, macro recall %s on valid; last.fer: %s, %s; both in "
      "%s\n",
      best.step, percent(best.accuracy).c_str(), percent(best.macro_recall).c_str(),
      percent(last.accuracy).c_str(), percent(last.macro_recall).c_str(), request.out.c_str());
}

}  // namespace fer
