#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "commands/commands.h"
#include "files/disk_space.h"
#include "learn/data/packed_dataset.h"
#include "learn/detection/detection_dataset.h"
#include "model/foreign/foreign_model.h"
#include "model/foreign/onnx_path.h"
#include "model/model_info.h"
#include "model/safetensors.h"
#include "network/detector_info.h"
#include "network/network_cost.h"
#include "util/json_text.h"
#include "vision/onnx_checksum.h"
#include "vision/sum_file.h"

namespace fer {
namespace {

using nlohmann::json;

struct Options {
  std::vector<std::filesystem::path> files;
  bool as_json = false;
};

/// Of its operating points: null where no probability is high enough.
json points_json(const ModelInfo& info) {
  json points = json::array();
  for (const float point : info.operating_points)
    points.push_back(std::isinf(point) ? json() : json(point));
  return points;
}

json calibration_json(const ModelInfo& info) {
  if (info.calibration.is_identity()) return {};
  return {{"temperature", info.calibration.temperature}, {"bias", info.calibration.bias}};
}

json model_json(const std::filesystem::path& path, const SafetensorsFile& file) {
  const ModelInfo info = read_model_info(path);
  const NetworkCost cost = network_cost(info.network);
  bool bf16 = false;
  for (const auto& [name, tensor] : file.tensors()) bf16 = bf16 || tensor.dtype == DType::kBF16;
  return {{"kind", "model"},
          {"network", info.network},
          {"parameters", cost.parameters},
          {"macs", cost.macs},
          {"stored", bf16 ? "bf16" : "fp32"},
          {"labels", info.labels},
          {"prior", info.prior},
          {"calibration", calibration_json(info)},
          {"prior_correction", info.prior_correction},
          {"operating_points", points_json(info)},
          {"mirror", info.mirror},
          {"mean", info.mean},
          {"std", info.stddev},
          {"align_template", info.align_template},
          {"version", info.version},
          {"parent", info.parent},
          {"provenance", info.provenance},
          {"thresholds", info.thresholds}};
}

json foreign_json(const std::filesystem::path& path) {
  const ForeignModel model = read_foreign_model(path);
  const ModelInfo& info = model.info;
  json outputs = json::array();  // null for one that is left out
  for (const auto& label : model.description.labels)
    outputs.push_back(label ? json(*label) : json());
  return {{"kind", "ONNX network"},
          {"description", onnx_description_path(path).string()},
          {"model_proc", model.description.model_proc},
          {"vouched_for", is_vouched_for(path) || check_onnx(model.bytes) == OnnxChecksum::kRight},
          {"producer", model.header.producer},
          {"opset", model.header.opset},
          {"operators", model.header.nodes},
          {"parameters", model.header.parameters},
          {"input",
           {{"name", model.plan.input},
            {"size", model.plan.side},
            {"color_space", name_of(model.plan.color_space)},
            {"layout", name_of(model.plan.layout)},
            {"range", {model.description.low, model.description.high}},
            {"mean", model.description.mean},
            {"std", model.description.deviation},
            {"any_batch", model.plan.any_batch}}},
          {"output",
           {{"name", model.plan.output},
            {"type", name_of(model.description.type)},
            {"labels", std::move(outputs)}}},
          {"labels", info.labels},
          {"prior", info.prior},
          {"calibration", calibration_json(info)},
          {"prior_correction", info.prior_correction},
          {"operating_points", points_json(info)},
          {"mirror", info.mirror},
          {"align_template", info.align_template},
          {"version", info.version}};
}

json packed_json(const std::filesystem::path& path) {
  const PackedDataset data(path);
  json splits = json::object();
  for (const std::string& split : data.info().splits) {
    splits[split] = {{"rows", 0}, {"unlabelled", 0}, {"duplicates", 0}, {"labels", json::object()}};
    for (const std::string& label : data.info().labels) splits[split]["labels"][label] = 0;
  }
  std::map<std::string, std::vector<std::size_t>> counts;  // of each label in each split
  std::map<std::string, std::size_t> rows, unlabelled, duplicates;
  std::size_t aligned = 0;
  for (const std::string& split : data.info().splits)
    counts[split].resize(data.info().labels.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::string& split = data.split(i);
    ++rows[split];
    aligned += data.aligned(i);
    duplicates[split] += data.duplicate(i);
    if (data.label(i) < 0)
      ++unlabelled[split];
    else
      ++counts[split][data.label(i)];
  }
  for (auto& [split, entry] : splits.items()) {
    entry["rows"] = rows[split];
    entry["unlabelled"] = unlabelled[split];
    entry["duplicates"] = duplicates[split];
    for (std::size_t k = 0; k < counts[split].size(); ++k)
      entry["labels"][data.info().labels[k]] = counts[split][k];
  }
  return {{"kind", "packed dataset"},
          {"rows", data.size()},
          {"aligned", aligned},
          {"channels", data.info().crops.channels},
          {"side", data.info().crops.side},
          {"align_template", data.info().crops.align_template},
          {"labels", data.info().labels},
          {"splits", splits},
          {"checksums", data.has_checksums()},
          {"source", data.info().source}};
}

json scenes_json(const std::filesystem::path& path) {
  const DetectionDataset data(path);
  json splits = json::object();
  for (const std::string& split : data.info().splits)
    splits[split] = {{"photos", 0}, {"without_faces", 0}, {"faces", 0}, {"unsure", 0}};
  for (std::size_t i = 0; i < data.size(); ++i) {
    json& split = splits[data.split(i)];
    const auto add = [&](const char* name, std::size_t count) {
      split[name] = split[name].get<std::size_t>() + count;
    };
    add("photos", 1);
    add("without_faces", data.faces(i).empty());
    for (const SceneFace& face : data.faces(i)) add(face.sure ? "faces" : "unsure", 1);
  }
  return {{"kind", "photos with faces"},
          {"photos", data.size()},
          {"sources", data.info().sources},
          {"splits", splits},
          {"source", data.info().source}};
}

json detector_json(const std::filesystem::path& path) {
  const DetectorInfo info = read_detector_info(path);
  return {{"kind", "face detector"},
          {"network", info.network},
          {"parameters", detector_parameters(info.network)},
          {"macs_320x192", detector_macs(info.network, 320, 192)},
          {"macs_640x384", detector_macs(info.network, 640, 384)},
          {"operating_score", info.operating_score},
          {"version", info.version},
          {"provenance", info.provenance}};
}

json checkpoint_json(const SafetensorsFile& file) {
  json state = json::parse(file.meta("state"), nullptr, /*allow_exceptions=*/false);
  if (!state.is_object())
    throw std::runtime_error(file.path().string() +
                             ": expected a checkpoint; its state is no JSON object");
  return {{"kind", "checkpoint"}, {"state", std::move(state)}};
}

json describe(const std::filesystem::path& path) {
  json description;
  if (is_onnx_path(path)) {
    description = foreign_json(path);
  } else {
    const SafetensorsFile file(path);
    const auto format = file.metadata().find("format");
    const std::string name = format == file.metadata().end() ? "" : format->second;
    // What the readers themselves say of another version of their format is better than what we
    // could: so the name alone decides which to ask.
    if (name.rfind("gst-fer-faces", 0) == 0)
      description = packed_json(path);
    else if (name.rfind("gst-fer-scenes", 0) == 0)
      description = scenes_json(path);
    else if (name.rfind("gst-fer-detector", 0) == 0)
      description = detector_json(path);
    else if (name.rfind("gst-fer-checkpoint", 0) == 0)
      description = checkpoint_json(file);
    else
      description = model_json(path, file);
  }
  description["file"] = path.string();
  description["bytes"] = std::filesystem::file_size(path);
  return description;
}

void line(const char* name, const std::string& value) {
  std::printf("  %-12s %s\n", name, value.c_str());
}

std::string number(double value, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string count_text(double count) {
  if (count >= 1e9) return number(count / 1e9, "%.2f G");
  if (count >= 1e6) return number(count / 1e6, "%.2f M");
  if (count >= 1e4) return number(count / 1e3, "%.1f k");
  return number(count, "%.0f");
}

std::string list_text(const json& numbers) {
  std::string text;
  for (const json& n : numbers) text += (text.empty() ? "" : ", ") + n.dump();
  return text;
}

void print_calibration(const json& d) {
  const json& labels = d["labels"];
  // A value per label; null is called `none`.
  const auto each = [&](const json& values, const char* format, const char* none) {
    std::string text;
    for (std::size_t k = 0; k < values.size(); ++k) {
      text += (k ? ", " : "") + labels[k].get<std::string>() + " " +
              (values[k].is_null() ? none : number(values[k].get<double>(), format));
    }
    return text;
  };
  const json& calibration = d["calibration"];
  if (calibration.is_null()) {
    line("calibration", "none: fer calibrate makes the probabilities believable");
  } else {
    const json& bias = calibration["bias"];
    line("calibration", "temperature " + number(calibration["temperature"].get<double>(), "%.4f") +
                            (bias.empty() ? "" : ", bias " + each(bias, "%+.3f", "")));
  }
  line("prior", "divided out to the power of " + number(d["prior_correction"].get<double>(), "%g") +
                    " where nobody asks for another");
  if (!d["operating_points"].empty())
    line("sure above", each(d["operating_points"], "%.3f", "never"));
}

void print_model(const json& d) {
  const json& n = d["network"];
  line("network", n["name"].get<std::string>() + ": stem " + n["stem_width"].dump() + ", stages " +
                      list_text(n["widths"]) + " of " + list_text(n["depths"]) + " blocks, " +
                      (n["attention_branches"] == 0
                           ? std::string("no attention")
                           : n["attention_branches"].dump() + " branches of attention"));
  line("cost", count_text(d["parameters"].get<double>()) + " parameters, " +
                   count_text(d["macs"].get<double>()) + " multiply-accumulates a face" +
                   (d["mirror"] == true ? ", twice: its mirror image too" : ""));
  line("input", std::string(n["channels"] == 1 ? "grey" : "RGB") + ", " + n["input_size"].dump() +
                    " x " + n["input_size"].dump() + " px, template " +
                    d["align_template"].get<std::string>() + ", mean " +
                    number(d["mean"].get<double>(), "%.4f") + ", std " +
                    number(d["std"].get<double>(), "%.4f"));
  std::string labels;
  if (d["labels"].empty()) line("head", "none: a start for fer train --init");
  for (std::size_t k = 0; k < d["labels"].size(); ++k) {
    labels += (k ? ", " : "") + d["labels"][k].get<std::string>() + " " +
              number(d["prior"][k].get<double>() * 100, "%.1f %%");
  }
  if (!labels.empty()) line("labels", labels + " (the share that the outputs assume)");
  if (!labels.empty()) print_calibration(d);
  line("version", d["version"].get<std::string>() +
                      (d["parent"] == "" ? std::string(", no parent")
                                         : ", adapted from " + d["parent"].get<std::string>()));
  line("stored", d["stored"].get<std::string>() + ", " +
                     size_text(static_cast<double>(d["bytes"].get<std::uint64_t>())));
  if (!d["provenance"].is_null()) line("provenance", d["provenance"].dump());
  if (!d["thresholds"].is_null()) line("thresholds", d["thresholds"].dump());
}

/// "0.5", or "0.1, 0.2, 0.3"; `none` where there is none.
std::string pixels_text(const json& numbers, const char* none) {
  return numbers.empty() ? none : list_text(numbers);
}

void print_foreign(const json& d) {
  const json &input = d["input"], &output = d["output"];
  const std::string side = input["size"].dump();
  line("network", d["operators"].dump() + " operators, " +
                      count_text(d["parameters"].get<double>()) + " parameters, ONNX opset " +
                      d["opset"].dump() +
                      (d["producer"] == "" ? "" : ", by " + d["producer"].get<std::string>()));
  line("input",
       "\"" + input["name"].get<std::string>() + "\": " + input["color_space"].get<std::string>() +
           ", " + side + " x " + side + " px, " + input["layout"].get<std::string>() + ", range " +
           list_text(input["range"]) + ", mean " + pixels_text(input["mean"], "0") + ", std " +
           pixels_text(input["std"], "1") + ", template " + d["align_template"].get<std::string>() +
           (d["mirror"] == true ? ", and the mirror image" : ""));
  std::string labels;
  for (const json& label : output["labels"]) {
    labels += (labels.empty() ? "" : ", ") +
              (label.is_null() ? std::string("(left out)") : label.get<std::string>());
  }
  line("output", "\"" + output["name"].get<std::string>() +
                     "\": " + output["type"].get<std::string>() + " of " + labels);
  print_calibration(d);
  line("described", d["description"].get<std::string>() +
                        (d["model_proc"] == true ? ", a model-proc file of DL Streamer" : ""));
  line("bytes", d["vouched_for"] == true
                    ? std::string("as their checksum says")
                    : "nobody vouches for them: " + vouching_command(d["file"].get<std::string>()));
  line("version", d["version"].get<std::string>() + ", serves and does not learn");
  line("stored", size_text(static_cast<double>(d["bytes"].get<std::uint64_t>())));
}

void print_detector(const json& d) {
  const json& n = d["network"];
  line("network", "stem " + n["stem_width"].dump() + " of stride " + n["stem_stride"].dump() +
                      ", stages " + list_text(n["widths"]) + " of " + list_text(n["depths"]) +
                      " blocks, kernels " + list_text(n["kernels"]));
  line("cost", count_text(d["parameters"].get<double>()) + " parameters, " +
                   count_text(d["macs_320x192"].get<double>()) +
                   " multiply-accumulates at 320 x 192, " +
                   count_text(d["macs_640x384"].get<double>()) + " at 640 x 384");
  line("score", "faces count above " + number(d["operating_score"].get<double>(), "%.3f"));
  line("version", d["version"].get<std::string>());
  line("stored", size_text(static_cast<double>(d["bytes"].get<std::uint64_t>())));
  if (!d["provenance"].is_null()) line("provenance", d["provenance"].dump());
}

void print_scenes(const json& d) {
  line("photos", d["photos"].dump());
  line("source", d["source"].get<std::string>());
  line("size", size_text(static_cast<double>(d["bytes"].get<std::uint64_t>())));
  std::printf("\n  %-12s %9s %13s %9s %9s\n", "split", "photos", "without faces", "faces",
              "unsure");
  for (const auto& [split, entry] : d["splits"].items()) {
    std::printf("  %-12s %9s %13s %9s %9s\n", split.empty() ? "(none)" : split.c_str(),
                entry["photos"].dump().c_str(), entry["without_faces"].dump().c_str(),
                entry["faces"].dump().c_str(), entry["unsure"].dump().c_str());
  }
}

void print_packed(const json& d) {
  line("rows", d["rows"].dump() + ", " + d["aligned"].dump() + " of them aligned");
  line("crops", std::string(d["channels"] == 1 ? "grey" : "RGB") + ", " + d["side"].dump() + " x " +
                    d["side"].dump() + " px, template " + d["align_template"].get<std::string>());
  line("source", d["source"].get<std::string>());
  line("size", size_text(static_cast<double>(d["bytes"].get<std::uint64_t>())));
  line("checksums", d["checksums"].get<bool>()
                        ? "yes, compared as the faces are read"
                        : "none, of an earlier version: fer pack --join writes them");
  std::printf("\n  %-12s %9s %10s %10s", "split", "rows", "unlabelled", "duplicates");
  for (const json& label : d["labels"]) std::printf(" %9.9s", label.get<std::string>().c_str());
  std::printf("\n");
  for (const auto& [split, entry] : d["splits"].items()) {
    std::printf("  %-12s %9s %10s %10s", split.empty() ? "(none)" : split.c_str(),
                entry["rows"].dump().c_str(), entry["unlabelled"].dump().c_str(),
                entry["duplicates"].dump().c_str());
    for (const json& label : d["labels"])
      std::printf(" %9s", entry["labels"][label.get<std::string>()].dump().c_str());
    std::printf("\n");
  }
}

void print_checkpoint(const json& d) {
  const json& state = d["state"];
  const json config = state.value("config", json::object());
  if (config.contains("steps")) {
    line("steps", state.value("last", json::object()).value("step", json()).dump() + " done of " +
                      config["steps"].dump());
  } else {
    line("epochs",
         state.value("epoch", json()).dump() + " done of " + config.value("epochs", json()).dump());
  }
  if (state.contains("best")) line("best", state["best"].dump());
  if (state.contains("config")) line("settings", state["config"].dump());
  line("size", size_text(static_cast<double>(d["bytes"].get<std::uint64_t>())));
}

void run(const Options& o) {
  for (const auto& path : o.files) {
    stop_if_requested();
    const json d = describe(path);
    if (o.as_json) {
      std::printf("%s\n", json_text(d).c_str());
      continue;
    }
    const std::string kind = d["kind"];
    std::printf("%s: %s\n", path.c_str(), kind.c_str());
    if (kind == "model")
      print_model(d);
    else if (kind == "ONNX network")
      print_foreign(d);
    else if (kind == "checkpoint")
      print_checkpoint(d);
    else if (kind == "face detector")
      print_detector(d);
    else if (kind == "photos with faces")
      print_scenes(d);
    else
      print_packed(d);
  }
}

}  // namespace

void add_info(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("info");
  c->add_option("FILE", o->files, "Files to look at")->required();
  c->add_flag("--json", o->as_json, "One JSON object a line, one line a file");
  c->callback([o] { run(*o); });
}

}  // namespace fer
