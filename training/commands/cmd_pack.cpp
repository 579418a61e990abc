#include <cstdio>
#include <memory>
#include <stdexcept>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "learn/data/join_packed.h"
#include "terminal/output_files.h"
#ifdef HAVE_VISION
#include "data/read_dataset.h"
#endif

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path out;
  std::vector<std::filesystem::path> join;
  std::string split;
  std::vector<std::string> columns;
};

void join(const Options& o) {
  require_outputs({o.out}, o.join);
  std::printf("%s: %zu faces\n", o.out.c_str(), join_packed(o.join, o.out));
}

#ifdef HAVE_VISION
void run(const Options& o) {
  require_outputs({o.out}, {o.data});
  if (std::filesystem::exists(o.data) && !is_image_list(o.data) && !is_video(o.data)) {
    throw std::runtime_error(
        o.data.string() +
        ": expected a folder, a file that ends in .csv or a video, found another file (packed "
        "datasets are put together by --join)");
  }
  const CropFormat shape = o.crop_format();
  ReadOptions read = o.read_options();
  read.split = o.split;
  read.columns = o.columns;
  const FaceRows faces =
      read_dataset(o.data, o.align, shape, read, std::filesystem::absolute(o.out).parent_path(),
                   "free some or name another folder with --out");
  write_packed(o.out, faces.info, faces.rows);
  std::size_t aligned = 0;
  for (const PackedRow& row : faces.rows) aligned += row.aligned;
  std::printf("%s: %zu faces of %d x %d px, %zu of them aligned\n", o.out.c_str(),
              faces.rows.size(), shape.side, shape.side, aligned);
}
#else
void run(const Options&) {
  throw std::runtime_error("this program was built without OpenCV and cannot decode images");
}
#endif

}  // namespace

void add_pack(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* pack = app.add_subcommand(
      "pack", "Decode, align and resize a dataset once into one file that `train` and `eval` map.");
  CLI::Option* data = o->add_to(*pack)->required(false);
  o->add_max_unreadable(*pack);
  o->add_video(*pack);
  CLI::Option* split =
      pack->add_option("--split", o->split,
                       "Pack this split alone (default: all): of a dataset whose other splits must "
                       "not be learnt from, say");
  CLI::Option* columns =
      pack->add_option("--columns", o->columns,
                       "Further columns of the CSV to carry, separated by commas, for fer eval "
                       "--group-by: age,camera")
          ->delimiter(',');
  CLI::Option* join_option =
      pack->add_option("--join", o->join,
                       "Packed datasets to put together, in place of --data: the same faces as "
                       "several detectors cut them, say")
          ->excludes(data)
          ->excludes(split)
          ->excludes(columns);
  pack->add_option("--out", o->out, "The packed dataset to write")->required();
  pack->callback([o, data, join_option] {
    if (data->empty() && join_option->empty()) throw CLI::RequiredError("--data or --join");
    o->join.empty() ? run(*o) : join(*o);
  });
}

}  // namespace fer
