#include <cstdio>
#include <memory>
#include <stdexcept>

#include "commands.h"
#include "data_options.h"
#ifdef HAVE_VISION
#include "read_dataset.h"
#endif

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path out;
};

#ifdef HAVE_VISION
void run(const Options& o) {
  require_writable(o.out);
  if (std::filesystem::exists(o.data) && !is_image_list(o.data) && !is_video(o.data)) {
    throw std::runtime_error(
        o.data.string() +
        ": expected a folder, a file that ends in .csv or a video, found another file");
  }
  const CropShape shape = o.crop_spec();
  const FaceRows faces = read_dataset(o.data, o.align, shape, o.read_options(),
                                      std::filesystem::absolute(o.out).parent_path(),
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
  o->add_to(*pack);
  o->add_max_unreadable(*pack);
  o->add_video(*pack);
  pack->add_option("--out", o->out, "The packed dataset to write")->required();
  pack->callback([o] { run(*o); });
}

}  // namespace fer
