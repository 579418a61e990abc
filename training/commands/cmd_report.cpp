#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "model/atomic_file.h"
#include "report/report.h"
#include "terminal/output_files.h"
#include "util/join.h"

namespace fer {
namespace {

std::string counted(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// What lies in the folders and no report, which may well lie there, is not to be written over.
std::vector<std::filesystem::path> files_of(const std::vector<std::filesystem::path>& folders) {
  std::vector<std::filesystem::path> files;
  for (const auto& folder : folders) {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() != ".html") files.push_back(entry.path());
  }
  return files;
}

}  // namespace

void add_report(CLI::App& app) {
  struct Options {
    std::vector<std::filesystem::path> folders;
    std::filesystem::path out = "report.html";
    std::string score = "accuracy";
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("report");
  c->add_option("folders", o->folders,
                "Folders that `fer train --out` wrote, or ferlearn as its checkpoint-dir; they may "
                "still be at work")
      ->required()
      ->check(CLI::ExistingDirectory);
  c->add_option("--out", o->out, "The page to write")->capture_default_str();
  c->add_option("--score", o->score, "What the best epoch is best in")
      ->check(CLI::IsMember({"accuracy", "macro_recall"}))
      ->capture_default_str();
  c->callback([o] {
    require_outputs({o->out}, files_of(o->folders));
    require_chart_library();
    std::vector<RunLog> runs;
    std::vector<LearnerRun> learners;
    for (const auto& folder : o->folders) {
      if (is_learner_folder(folder)) {
        learners.push_back(read_learner_run(folder));
      } else {
        runs.push_back(read_run(folder));
      }
    }
    write_atomically(o->out, {report_page(runs, learners, o->score)});
    std::vector<std::string> parts;
    if (!runs.empty()) parts.push_back(counted(runs.size(), "run"));
    if (!learners.empty()) parts.push_back(counted(learners.size(), "learner"));
    std::printf("%s: %s\n", o->out.c_str(), join(parts).c_str());
  });
}

}  // namespace fer
