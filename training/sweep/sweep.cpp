#include "sweep/sweep.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

#include "model/atomic_file.h"
#include "model/find_model.h"
#include "model/model_info.h"
#ifdef HAVE_CAIRO
#include "report/line_plot.h"
#endif
#include "report/page/page.h"
#include "report/results_page.h"
#include "sweep/job_runner.h"
#include "sweep/sweep_kind.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"
#include "util/folder_lock.h"
#include "util/join.h"
#include "util/json_text.h"
#include "util/make_folder.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

/// What a finished run leaves beside its models: its entry of the results.
constexpr const char* kResult = "result.json";

std::unique_ptr<SweepKind> kind_of(const Experiment& experiment, const SweepSettings& settings) {
  return experiment.command == ExperimentCommand::kAdapt ? make_adaptation_sweep(settings)
                                                         : make_training_sweep(settings);
}

/// The model file that a run starts from; empty: from chance.
std::string start_of(const Experiment& experiment, const ExperimentRun& run) {
  const bool adapts = experiment.command == ExperimentCommand::kAdapt;
  const auto option =
      std::find(run.options.begin(), run.options.end(), adapts ? "--model" : "--init");
  if (option != run.options.end()) return *(option + 1);
  return adapts ? require_expression_model().string() : std::string();
}

class Sweep {
 public:
  Sweep(const Experiment& experiment, const SweepSettings& settings)
      : experiment_(experiment),
        settings_(settings),
        kind_(kind_of(experiment, settings)),
        base_(settings.runs / experiment.name) {
    for (const ExperimentRun& run : experiment_.runs) kind_->require_data(run);
    make_folder(settings.results);
    lock_.emplace(base_, "sweep", FolderLock::Children::kHold);
    for (const ExperimentRun& run : experiment_.runs) {
      const std::string start = start_of(experiment_, run);
      if (!start.empty() && !starts_.contains(start))
        starts_[start] = read_model_info(start).version;
    }
    published_ = read_published();
  }

  std::size_t run() {
    std::map<std::string, const ExperimentRun*> by_name;
    std::vector<Job> jobs;
    for (const ExperimentRun& run : experiment_.runs) {
      if (read_result(run)) continue;
      by_name[run.name] = &run;
      jobs.push_back(job_of(run));
    }
    std::printf("%s: %zu runs, %zu of them done\n", experiment_.name.c_str(),
                experiment_.runs.size(), results_.size());
    std::fflush(stdout);
    write_results();
    Progress progress("sweep");
    JobEvents events;
    events.ended = [&](const Job& job, int status) {
      progress.clear();
      end_run(*by_name.at(job.name), job, status);
    };
    events.tick = [&](std::size_t done, const std::vector<std::string>& running) {
      progress.update(static_cast<double>(done), static_cast<double>(jobs.size()),
                      join(running, " "));
    };
    const bool all = run_jobs(jobs, settings_.parallel, events, stop_requested);
    progress.clear();
    if (!all || stop_requested) {
      std::printf("stopped; the same command goes on\n");
      throw Interrupted();
    }
    return failed_;
  }

 private:
  fs::path folder_of(const ExperimentRun& run) const { return base_ / run.name; }
  fs::path results_file() const { return settings_.results / (experiment_.name + ".json"); }

  Job job_of(const ExperimentRun& run) const {
    const fs::path folder = folder_of(run);
    make_folder(folder);
    Job job{run.name, {settings_.program.string()}, folder / "output.txt"};
    const auto arguments = kind_->arguments(run, folder);
    job.command.insert(job.command.end(), arguments.begin(), arguments.end());
    return job;
  }

  /// Entries of the results file by their commands: runs of another machine, or whose folders are
  /// gone, are done, too.
  std::map<std::string, json> read_published() const {
    std::map<std::string, json> entries;
    std::ifstream file(results_file());
    if (!file) return entries;
    const json published = json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!published.is_object() || !published.contains("runs") || !published["runs"].is_array()) {
      throw std::runtime_error(results_file().string() +
                               ": expected the results of a sweep; remove the file");
    }
    for (const json& entry : published["runs"]) {
      require_entry(entry, results_file());
      entries[entry["command"].get<std::string>()] = entry;
    }
    return entries;
  }

  /// Throws std::runtime_error, naming the file, where the entry is not what the table is made of.
  void require_entry(const json& entry, const fs::path& file) const {
    const auto refuse = [&](const std::string& expected) {
      throw std::runtime_error(file.string() + ": expected " + expected +
                               " in the result of a run, found " + json_text(entry).substr(0, 80) +
                               "; remove the file");
    };
    if (!entry.is_object()) refuse("an object");
    std::vector<std::string> texts = kind_->texts();
    texts.push_back("command");
    for (const std::string& key : texts)
      if (!entry.contains(key) || !entry[key].is_string()) refuse("the text \"" + key + "\"");
    for (const std::string& key : kind_->numbers())
      if (!entry.contains(key) || !entry[key].is_number()) refuse("the number \"" + key + "\"");
  }

  /// Takes a finished run's entry over; false where there is none.
  bool read_result(const ExperimentRun& run) {
    const fs::path path = folder_of(run) / kResult;
    std::ifstream file(path);
    if (!file) {
      const auto found = published_.find(kind_->public_command(run));
      if (found == published_.end() || found->second.value("init", json()) != start_version(run))
        return false;
      results_[run.name] = found->second;
      return true;
    }
    const json entry = json::parse(file, nullptr, /*allow_exceptions=*/false);
    require_entry(entry, path);
    const std::string command = kind_->public_command(run);
    if (entry["command"] != command) {
      throw std::runtime_error(path.string() + ": expected a result of \"" + command +
                               "\", found one of \"" + entry["command"].get<std::string>() +
                               "\"; remove the folder, or name another one by --runs");
    }
    const json start = start_version(run);
    if (entry.value("init", json()) != start) {
      throw std::runtime_error(path.string() + ": expected a result from the start " +
                               start.dump() + ", found one from " +
                               entry.value("init", json()).dump() +
                               "; remove the folder, or name another one by --runs");
    }
    results_[run.name] = entry;
    return true;
  }

  void end_run(const ExperimentRun& run, const Job& job, int status) {
    if (status == kInterrupted) return;
    if (!kind_->succeeded(status)) {
      ++failed_;
      std::fprintf(stderr, "fer: %s: ended with status %d; see %s\n", run.name.c_str(), status,
                   job.output.c_str());
      return;
    }
    try {
      take_result(run);
    } catch (const Interrupted&) {
      // Measured when the same command goes on.
    } catch (const std::exception& error) {
      // The other runs, which may have hours to go, are not to end by it.
      ++failed_;
      std::fprintf(stderr, "fer: %s: ended, but has no result: %s\n", run.name.c_str(),
                   error.what());
    }
  }

  void take_result(const ExperimentRun& run) {
    json entry = kind_->measure(run, folder_of(run));
    if (const json start = start_version(run); !start.is_null()) entry["init"] = start;
    entry["command"] = kind_->public_command(run);
    write_atomically(folder_of(run) / kResult, {json_text(entry, 2)});
    results_[run.name] = entry;
    write_results();
    std::printf("%s: %s\n", run.name.c_str(), kind_->summary(entry).c_str());
    std::fflush(stdout);
  }

  /// Null for a start from chance.
  json start_version(const ExperimentRun& run) const {
    const auto found = starts_.find(start_of(experiment_, run));
    return found == starts_.end() ? json() : json(found->second);
  }

  void write_results() const {
    json results{{"experiment", experiment_.name},
                 {"about", experiment_.about},
                 {"data", kind_->data_source()},
                 {"budget", experiment_.budget},
                 {"runs", json::array()}};
    for (const ExperimentRun& run : experiment_.runs) {
      if (const auto found = results_.find(run.name); found != results_.end()) {
        results["runs"].push_back(found->second);
      }
    }
    if (results["runs"].empty()) return;
    write_atomically(results_file(), {json_text(results, 2) + "\n"});
    write_atomically(settings_.results / (experiment_.name + ".md"), {kind_->markdown(results)});
    const auto chart = kind_->chart(results);
#ifdef HAVE_CAIRO
    if (chart) plot_lines(settings_.results / (experiment_.name + ".svg"), *chart);
#endif
    if (has_chart_library()) {
      write_atomically(settings_.results / (experiment_.name + ".html"),
                       {results_page(results, kind_->view(), chart)});
    }
  }

  const Experiment& experiment_;
  const SweepSettings& settings_;
  const std::unique_ptr<SweepKind> kind_;
  const fs::path base_;
  /// The runs hold it, too, so that it outlives a sweep that is killed for as long as they do.
  std::optional<FolderLock> lock_;
  std::map<std::string, json> results_, published_;
  std::map<std::string, std::string> starts_;  ///< Versions of the model files, by path.
  std::size_t failed_ = 0;
};

}  // namespace

std::size_t run_sweep(const Experiment& experiment, const SweepSettings& settings) {
  return Sweep(experiment, settings).run();
}

}  // namespace fer
