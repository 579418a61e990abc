#include <cstdio>
#include <memory>
#include <stdexcept>

#include "commands.h"
#include "data_options.h"
#ifdef HAVE_VISION
#include "face_loader.h"
#endif

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path out;
};

#ifdef HAVE_VISION
void run(const Options& o) {
  require_writable(o.out);
  if (std::filesystem::exists(o.data) && !is_image_list(o.data)) {
    throw std::runtime_error(o.data.string() +
                             ": expected a folder or a file that ends in .csv, found another file");
  }
  const ImageList list = read_image_list(o.data);
  const CropShape shape = o.crop_spec();
  const auto folder = std::filesystem::absolute(o.out).parent_path();
  require_space(folder, packed_bytes(list.entries.size(), shape, list.labels.size()),
                "free some or name another folder with --out");
  const FaceRows faces = read_faces(o.data, list, o.align, shape, o.read_options());
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
  pack->add_option("--out", o->out, "The packed dataset to write")->required();
  pack->callback([o] { run(*o); });
}

}  // namespace fer
