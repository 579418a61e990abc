#include "network/average_models.h"

#include <cstdio>
#include <memory>

#include "commands/commands.h"
#include "terminal/output_files.h"

namespace fer {

void add_average(CLI::App& app) {
  struct Options {
    std::vector<std::filesystem::path> models;
    std::filesystem::path out;
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("average");
  c->add_option("models", o->models, "The model files to read, two or more")
      ->required()
      ->expected(2, -1)
      ->check(CLI::ExistingFile);
  c->add_option("--out", o->out, "The model file to write")->required();
  c->callback([o] {
    require_outputs({o->out}, o->models);
    std::vector<ModelFile> models;
    for (const auto& path : o->models) models.push_back(read_model(path));
    ModelFile mean = average_models(models);
    write_model(o->out, mean);
    std::printf("%s: version %s, the mean of %zu models\n", o->out.c_str(),
                mean.info.version.c_str(), models.size());
  });
}

}  // namespace fer
