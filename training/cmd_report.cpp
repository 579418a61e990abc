#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands.h"
#include "model/atomic_file.h"
#include "report.h"

namespace fer {

void add_report(CLI::App& app) {
  struct Options {
    std::vector<std::filesystem::path> runs;
    std::filesystem::path out = "report.html";
    std::string score = "accuracy";
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "report", "Draw training runs as one HTML page: curves, thresholds, confusion matrices.");
  c->add_option("runs", o->runs, "Folders that `fer train --out` wrote; one may still be at work")
      ->required()
      ->check(CLI::ExistingDirectory);
  c->add_option("--out", o->out, "The page to write")->capture_default_str();
  c->add_option("--score", o->score, "What the best epoch is best in")
      ->check(CLI::IsMember({"accuracy", "macro_recall"}))
      ->capture_default_str();
  c->callback([o] {
    std::vector<RunLog> runs;
    for (const auto& folder : o->runs) runs.push_back(read_run(folder));
    write_atomically(o->out, {report_page(runs, o->score)});
    std::printf("%s: %zu %s\n", o->out.c_str(), runs.size(), runs.size() == 1 ? "run" : "runs");
  });
}

}  // namespace fer
