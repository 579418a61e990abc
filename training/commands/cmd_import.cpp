#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "import/face_network.h"
#include "learn/run/restore_batch_norm.h"
#include "network/network_cost.h"
#include "terminal/output_files.h"

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path weights, out;
};

/// Faces whose statistics batch norm starts from: spread evenly over split train, or over all.
constexpr std::size_t kFaces = 512;

std::vector<std::size_t> some_faces(const PackedDataset& data) {
  const auto& splits = data.info().splits;
  const bool trained = std::find(splits.begin(), splits.end(), "train") != splits.end();
  const std::vector<std::size_t> all = data.rows(trained ? "train" : "");
  std::vector<std::size_t> some;
  const std::size_t step = std::max<std::size_t>(1, all.size() / kFaces);
  for (std::size_t i = 0; i < all.size() && some.size() < kFaces; i += step) some.push_back(all[i]);
  return some;
}

void run(const Options& o) {
  require_outputs({o.out}, {o.weights, o.data});
  // The weights first: reading them is quick, and tells what is wrong with the file.
  const PublishedFaceNetwork published = read_dlib_network(o.weights);
  const DataSource source(o.data, o.align, o.crop_format(), o.read_options());
  const PackedInfo& info = source.data().info();
  ModelFile model = face_network(published, info.crops);

  const std::vector<std::size_t> rows = some_faces(source.data());
  restore_batch_norm(model, source.data(), rows);
  model.info.provenance = {{"imported", kDlibFile},
                           {"licence", "CC0"},
                           {"batch_norm", {{"data", info.source}, {"faces", rows.size()}}}};
  write_model(o.out, model);
  const NetworkCost cost = network_cost(model.info.network);
  std::printf(
      "%s: version %s, a start for training: %zu stages, %.2f million parameters, %.0f million "
      "multiply-accumulates a face of %d px\n",
      o.out.c_str(), model.info.version.c_str(), model.info.network.widths.size(),
      static_cast<double>(cost.parameters) / 1e6, static_cast<double>(cost.macs) / 1e6,
      model.info.network.input_size);
}

}  // namespace

void add_import(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("import");
  c->add_option("weights", o->weights,
                "dlib_face_recognition_resnet_model_v1.dat (CC0; in the package "
                "face_recognition_models 0.3.0 on PyPI)")
      ->required()
      ->check(CLI::ExistingFile);
  c->add_option("--out", o->out, "The model file to write")->required();
  o->add_to(*c);
  o->add_max_unreadable(*c);
  c->callback([o] { run(*o); });
}

}  // namespace fer
