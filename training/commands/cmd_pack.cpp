#include <cstdio>
#include <memory>
#include <stdexcept>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "files/file_kind.h"
#include "learn/data/join_packed.h"
#include "learn/features/feature_file.h"
#include "terminal/interrupt.h"
#include "terminal/output_files.h"
#include "terminal/progress.h"
#ifdef HAVE_VISION
#include "data/read_dataset.h"
#endif

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path out;
  std::vector<std::filesystem::path> join;
  std::filesystem::path model;  ///< Whose maps of the faces are wanted; empty: none.
  FeatureConfig features;
  std::string split;
  std::vector<std::string> columns;
};

void join(const Options& o) {
  require_outputs({o.out}, o.join);
  std::printf("%s: %zu faces\n", o.out.c_str(), join_packed(o.join, o.out));
}

void pack_features(const Options& o) {
  require_outputs({o.out}, {o.data, o.model});
  if (is_image_list(o.data) || is_video(o.data)) {
    throw std::runtime_error(o.data.string() +
                             ": expected a packed dataset, found images; pack them first");
  }
  const PackedDataset data(o.data);
  Progress progress("making features");
  const bool whole =
      write_features(o.out, data, o.model, o.features, [&](std::size_t done, std::size_t all) {
        progress.update(static_cast<double>(done), static_cast<double>(all));
        return !stop_requested;
      });
  progress.clear();
  if (!whole) throw Interrupted();
  const PackedDataset made(o.out);
  const FeatureInfo info = feature_info(made);
  std::printf(
      "%s: %zu faces as %d x %d x %d maps of %s above %d blocks, each and its mirror image\n",
      o.out.c_str(), data.size(), info.channels, info.side, info.side, info.network.c_str(),
      info.blocks);
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
  CLI::App* pack = app.add_subcommand("pack");
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
  CLI::Option* features =
      pack->add_option("--features", o->model,
                       "Model file whose middle maps of the packed faces --data stand in --out, "
                       "too: fer train --labeled above a frozen half")
          ->check(CLI::ExistingFile)
          ->excludes(join_option)
          ->excludes(split);
  pack->add_option("--blocks", o->features.blocks,
                   "With --features: the maps lie above the stem and so many residual blocks")
      ->needs(features)
      ->check(CLI::Range(0, 1000));
  pack->add_option("--gate-grid", o->features.grid,
                   "With --features: labelled faces upside down and in shuffled tiles are kept, "
                   "too, averaged over so many cells a side, for fer train --gate self; 0: not")
      ->needs(features)
      ->check(CLI::Range(0, 16))
      ->capture_default_str();
  pack->add_option("--threads", o->features.threads, "With --features; 0: one a core")
      ->needs(features)
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  pack->add_option("--out", o->out, "The packed dataset to write")->required();
  pack->callback([o, data, join_option] {
    if (data->empty() && join_option->empty()) throw CLI::RequiredError("--data or --join");
    if (!o->model.empty()) return pack_features(*o);
    o->join.empty() ? run(*o) : join(*o);
  });
}

}  // namespace fer
