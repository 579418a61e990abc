#include <cstdio>
#include <memory>

#include "commands.h"
#include "data_options.h"

namespace fer {

void add_pack(CLI::App& app) {
  struct Options : DataOptions {
    std::filesystem::path out;
  };
  auto o = std::make_shared<Options>();
  CLI::App* pack = app.add_subcommand(
      "pack", "Decode, align and resize a dataset once into one file that `train` and `eval` map.");
  o->add_to(*pack);
  pack->add_option("--out", o->out, "The packed dataset to write")->required();
  pack->callback([o] {
    const DataSource source(o->data, o->align, o->crop_spec());
    const PackedDataset& data = source.data();
    std::size_t aligned = 0;
    for (std::size_t i = 0; i < data.size(); ++i) aligned += data.aligned(i);
    std::filesystem::copy_file(source.path(), o->out, std::filesystem::copy_options::overwrite_existing);
    std::printf("%s: %zu faces of %d x %d px, %zu of them aligned\n", o->out.c_str(), data.size(),
                data.info().side, data.info().side, aligned);
  });
}

}  // namespace fer
