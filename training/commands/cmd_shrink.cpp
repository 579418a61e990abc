#include <cstdio>
#include <memory>

#include "commands/commands.h"
#include "network/model_file.h"
#include "terminal/output_files.h"

namespace fer {

void add_shrink(CLI::App& app) {
  struct Options {
    std::filesystem::path model, out;
    bool mirror = false;
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("shrink");
  c->add_option("model", o->model, "The model file to read")->required()->check(CLI::ExistingFile);
  c->add_option("out", o->out, "The model file to write")->required();
  c->add_flag(
      "--mirror", o->mirror,
      "Let it look at each face's mirror image too: twice the time, a little more accurate");
  c->callback([o] {
    require_outputs({o->out}, {o->model});
    ModelFile model = read_model(o->model);
    if (o->mirror && !model.info.mirror && !model.info.calibration.is_identity()) {
      std::fprintf(stderr,
                   "note: %s is calibrated for faces without their mirror images; calibrate %s "
                   "anew by: fer calibrate\n",
                   o->model.c_str(), o->out.c_str());
    }
    model.info.mirror = model.info.mirror || o->mirror;
    const std::string from = model.info.version;
    write_model(o->out, model, /*bf16=*/true);
    std::printf("%s: version %s, from %s of version %s\n", o->out.c_str(),
                model.info.version.c_str(), o->model.c_str(), from.c_str());
  });
}

}  // namespace fer
