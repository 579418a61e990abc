#include "commands/ssl_training.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "commands/resumable_run.h"
#include "commands/training_progress.h"
#include "data/data_sources.h"
#include "data/image_list.h"
#include "learn/features/feature_file.h"
#include "learn/semi/self_gate.h"
#include "model/face_gate.h"
#include "network/light_head.h"
#include "report/run_record.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"
#include "util/make_folder.h"

namespace fer {
namespace {

using nlohmann::json;

json gate_json(const SelfGate& gate) {
  return {{"faces_kept", gate.faces_kept},   {"non_faces_accepted", gate.non_faces_accepted},
          {"unlabelled", gate.unlabelled},   {"unlabelled_kept", gate.unlabelled_kept},
          {"distractors", gate.distractors}, {"distractors_kept", gate.distractors_kept}};
}

json asked_json(const SslRequest& request, const SslData& data, int processes) {
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
          {"pool",
           {{"distractors", texts_of(request.distractors)},
            {"only_unlabelled", request.only_unlabelled},
            {"mix", request.unlabelled_mix}}},
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

/// What a run above features needs of them: the network, and views of the faces.
void use_features(const SslRequest& request, const SslSources& sources, SslConfig& train) {
  if (!train.init) {
    throw std::runtime_error(
        request.labelled.string() +
        ": it holds features: expected --init with the model that they are of");
  }
  std::vector<const PackedDataset*> datasets{sources.labelled};
  datasets.insert(datasets.end(), sources.unlabelled.begin(), sources.unlabelled.end());
  datasets.insert(datasets.end(), sources.distractors.begin(), sources.distractors.end());
  if (sources.valid) datasets.push_back(sources.valid);
  require_features_of(*sources.labelled, train.init.version(), request.init.string());
  const FeatureInfo info = feature_info(*sources.labelled);
  train.frozen_blocks = info.blocks;
  train.light_head = request.light_head > 0;
  train.network = train.light_head ? light_head_above(info.config, info.blocks, request.light_head)
                                   : info.config;
  train.features = feature_views(datasets, train.drop_channels);
}

/// Of a list of images, what it says of its labels is known long before they are decoded.
void require_labels(const SslRequest& request) {
  if (request.labels_per_class == 0 || !is_image_list(request.labelled)) return;
  const ImageList list = read_image_list(request.labelled, "", /*labelled=*/true, {});
  std::vector<std::size_t> counts(list.labels.size());
  for (const ImageEntry& entry : list.entries) {
    if (entry.split == "train" && entry.label >= 0 && !entry.duplicate)
      ++counts[static_cast<std::size_t>(entry.label)];
  }
  require_labels_per_class(request.labelled.string(), list.labels, counts, request.labels_per_class,
                           request.fewer_is_fine);
}

}  // namespace

void run_semi_supervised(SslRequest request, const Processes& processes) {
  SslConfig& train = request.train;
  if (processes.writes()) require_startable(request.out, train);
  require_labels(request);
  DataSources all(request.align, request.shape, request.read);
  SslSources sources;
  sources.labelled = all.at(request.labelled);
  for (const auto& path : request.unlabelled) sources.unlabelled.push_back(all.at(path));
  for (const auto& path : request.distractors) sources.distractors.push_back(all.at(path));
  sources.only_unlabelled = request.only_unlabelled;
  sources.unlabelled_mix = request.unlabelled_mix;
  sources.unlabelled_count = request.unlabelled_count;
  if (!request.valid.empty()) sources.valid = all.at(request.valid);
  sources.labels_per_class = request.labels_per_class;
  sources.label_share = request.label_share;
  sources.fewer_is_fine = request.fewer_is_fine;
  sources.min_votes = request.min_votes;
  sources.seed = train.seed;
  SslData data = ssl_data(sources);
  json gated;
  if (has_features(*sources.labelled)) {
    if (processes.count() > 1)
      throw std::runtime_error("features: expected one process, found several");
    use_features(request, sources, train);
    if (request.self_gate) {
      const SelfGate gate = gate_unlabelled(data, *train.features, train.threads);
      gated = gate_json(gate);
      make_folder(request.out);
      write_face_gate(request.out / "self.gate", gate.gate);
    }
  } else {
    if (request.self_gate || request.light_head > 0) {
      throw std::runtime_error(request.labelled.string() +
                               ": expected features, which --gate and --light-head need; make them "
                               "with: fer pack --features");
    }
    train.network.input_size = data.info.crops.side;
    train.network.channels = data.info.crops.channels;
  }
  train.network.classes = static_cast<int>(data.info.labels.size());
  json asked = asked_json(request, data, processes.count());
  if (!gated.is_null()) asked["gate"] = gated;
  RunRecord record(request.out / "run.json", std::move(asked));
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
