#include <cstdio>
#include <memory>

#include "commands/commands.h"
#include "data/taught_rows.h"
#include "terminal/output_files.h"

namespace fer {

void add_teach(CLI::App& app) {
  struct Options {
    std::filesystem::path data, out;
    std::vector<std::filesystem::path> teachers;
    TaughtRows wanted;
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("teach");
  c->add_option("--data", o->data, "A packed dataset; its labels are not looked at")
      ->required()
      ->check(CLI::ExistingFile);
  c->add_option("--teacher", o->teachers, "Model files whose mean probability is the label")
      ->required()
      ->check(CLI::ExistingFile);
  c->add_option("--split", o->wanted.split,
                "Rows of this split alone (default: all but valid and test)");
  c->add_flag("--unlabelled,--unlabeled", o->wanted.unlabelled_only,
              "Only rows without a majority label");
  c->add_option("--out", o->out, "The packed dataset to write")->required();
  c->callback([o] {
    require_outputs({o->out}, {o->data});
    const PackedDataset data(o->data);
    std::vector<std::shared_ptr<const Classifier>> teachers;
    for (const auto& path : o->teachers) {
      teachers.push_back(Classifier::open(path, Precision::kFp32));
    }
    PackedInfo info;
    const std::vector<PackedRow> rows = teach_rows(data, o->wanted, teachers, info);
    write_packed(o->out, info, rows);
    std::printf("%s: %zu faces with pseudo-labels of %zu teacher%s\n", o->out.c_str(), rows.size(),
                teachers.size(), teachers.size() == 1 ? "" : "s");
  });
}

}  // namespace fer
