#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "commands/commands.h"
#include "export/export_detector.h"
#include "export/export_model.h"
#include "files/disk_space.h"
#include "model/atomic_file.h"
#include "model/folded_network.h"
#include "model/stored_model.h"
#include "network/detector_file.h"
#include "network/folded_detector.h"
#include "program/finite_range.h"
#include "terminal/output_files.h"
#ifdef HAVE_ONNX
#include "export/onnx_graph.h"
#endif

namespace fer {
namespace {

namespace fs = std::filesystem;

struct Options : ExportOptions {
  fs::path model, out, model_proc, labels;
};

#ifdef HAVE_ONNX
void run_detector(const Options& o) {
  if (o.batch > 0 || o.logits || o.prior_correction >= 0 || !o.model_proc.empty() ||
      !o.labels.empty()) {
    throw std::runtime_error(o.model.string() +
                             ": is a face detector, and the options that were given are for "
                             "expression models");
  }
  require_outputs({o.out}, {o.model});
  const DetectorFile detector = read_detector(o.model);
  const std::string bytes = to_onnx(fold(detector), detector.info);
  write_atomically(o.out, {bytes});
  std::printf("%s: face detector, version %s, ONNX operators %d, %s\n", o.out.c_str(),
              detector.info.version.c_str(), OnnxGraph::kOpset,
              size_text(static_cast<double>(bytes.size())).c_str());
  std::printf("  in   %s: N x 1 x H x W, fp32, 0 to 255, grey, sides multiples of 32\n",
              kDetectorInput);
  std::printf("  out  faces_8, faces_16, faces_32: N x 15 x H/stride x W/stride\n");
}

void run(const Options& o) {
  if (is_detector_file(o.model)) return run_detector(o);
  const StoredModel model = read_stored_model(o.model);
  // All are tried before any is written: what is half there misleads.
  require_outputs({o.out, o.model_proc, o.labels}, {o.model});
  const std::string bytes = to_onnx(fold(model), model.info, o);
  const std::string model_proc = to_model_proc(model.info, o);
  const std::string labels = o.labels.empty() ? "" : to_label_lines(model.info);
  write_atomically(o.out, {bytes});
  if (!o.model_proc.empty()) write_atomically(o.model_proc, {model_proc});
  if (!o.labels.empty()) write_atomically(o.labels, {labels});

  const NetworkConfig& network = model.info.network;
  const std::string batch = o.batch > 0 ? std::to_string(o.batch) : "N";
  std::printf("%s: version %s, ONNX operators %d, %s\n", o.out.c_str(), model.info.version.c_str(),
              OnnxGraph::kOpset, size_text(static_cast<double>(bytes.size())).c_str());
  std::printf("  in   %s: %s x %d x %d x %d, fp32, 0 to 255, %s\n", kExportInput, batch.c_str(),
              network.channels, network.input_size, network.input_size,
              network.channels == 1 ? "grey" : "RGB");
  std::printf("  out  %s: %s x %d\n", export_output(o), batch.c_str(), network.classes);
}
#else
void run(const Options& o) {
  throw std::runtime_error(
      o.out.string() +
      ": cannot be written, since this program was built without ONNX; install "
      "libonnx-dev and libprotobuf-dev and build again");
}
#endif

}  // namespace

void add_export(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("export");
  c->add_flag("--onnx")->description("Write ONNX")->required();
  c->add_option("MODEL", o->model, "The model file to read")->required()->check(CLI::ExistingFile);
  c->add_option("OUT", o->out, "The ONNX file to write")->required();
  c->add_option("--batch", o->batch, "Faces a call takes; 0: as many as it gets")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  c->add_flag("--logits", o->logits, "Logits come out, in place of probabilities");
  c->add_option("--prior-correction", o->prior_correction,
                "Divide by the model's prior to this power: 0 as trained, 1 as if all classes were "
                "equally common; otherwise as the model's file says")
      ->check(finite_range(0, 2));
  c->add_option("--model-proc", o->model_proc,
                "Write a model-proc file for DL Streamer's gvaclassify here too");
  c->add_option("--labels", o->labels,
                "Write the labels here too, one a line, as NNStreamer's image_labeling wants them");
  c->callback([o] { run(*o); });
}

}  // namespace fer
