#include "export/export_model.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "model/model_info.h"
#ifdef HAVE_ONNX
#include "export/onnx_graph.h"
#include "model/folded_network.h"
#endif

namespace fer {

using nlohmann::json;

const char* export_output(const ExportOptions& options) {
  return options.logits ? "logits" : "probabilities";
}

#ifdef HAVE_ONNX
namespace {

/// The part of a 1x1 convolution that makes channels `from` to `from + count`.
FoldedConv part_of(const FoldedConv& conv, int from, int count) {
  FoldedConv part;
  part.in = conv.in / conv.groups;
  part.out = count;
  const auto weight = conv.weight.begin() + from * part.in;
  part.weight.assign(weight, weight + count * part.in);
  part.bias.assign(conv.bias.begin() + from, conv.bias.begin() + from + count);
  return part;
}

/// Branch by branch, and not as one grouped convolution with the maximum over its channels:
/// OpenCV 4.6 takes ReduceMax for batches of one size only. The sigmoid, which rises everywhere,
/// may as well come after the maximum.
OnnxValue add_attention(OnnxGraph& graph, const OnnxValue& x, const FoldedAttention& attention) {
  const int branches = attention.score.out, width = attention.reduce.out / branches;
  std::vector<OnnxValue> scores;
  for (int b = 0; b < branches; ++b) {
    const OnnxValue reduced =
        graph.relu(graph.conv(x, part_of(attention.reduce, b * width, width)));
    scores.push_back(graph.conv(reduced, part_of(attention.score, b, 1)));
  }
  const OnnxValue map = graph.sigmoid(graph.max(scores));
  return graph.multiply(x, graph.repeat_channel(map, attention.reduce.in));
}

/// Adds a block over maps of `side` pixels, and sets `side` to that of what it makes.
OnnxValue add_block(OnnxGraph& graph, const OnnxValue& x, const FoldedBlock& block, int& side) {
  OnnxValue y = graph.conv(graph.relu(graph.conv(x, block.conv1)), block.conv2);
  const int made = block.conv1.side_after(side);
  side = block.shortcut ? block.shortcut->side_after(side) : side;
  if (made < side) y = graph.pad_end(y, side - made);
  return graph.relu(graph.add(y, block.shortcut ? graph.conv(x, *block.shortcut) : x));
}

/// What the network says of the normalised pixels `x`.
OnnxValue add_logits(OnnxGraph& graph, OnnxValue x, const FoldedNetwork& network,
                     std::span<const float> bias) {
  x = graph.relu(graph.conv(x, network.stem));
  int side = network.stem.side_after(network.side);
  if (network.stem_pool) {
    const bool padded = network.stem.padded;
    x = graph.max_pool(x, 3, 2, padded);
    side = (side + (padded ? 2 : 0) - 3) / 2 + 1;
  }
  for (const FoldedBlock& block : network.blocks) x = add_block(graph, x, block, side);
  if (network.attention) x = add_attention(graph, x, *network.attention);
  return graph.linear(graph.average(x), network.head_weight, bias);
}

}  // namespace

std::string to_onnx(const FoldedNetwork& network, const ModelInfo& info,
                    const ExportOptions& options) {
  const OnnxDim batch = options.batch > 0 ? OnnxDim{options.batch} : OnnxDim{0, "batch"};
  OnnxGraph graph(info.network.name);
  OnnxValue x =
      graph.input(kExportInput, {batch, {network.channels}, {network.side}, {network.side}});
  // Not folded into the first convolution: that pads with zeros, which are the mean here and would
  // be black there.
  x = graph.scale(x, 1 / (255 * info.stddev), -info.mean / info.stddev);
  const double correction = prior_correction_of(info, options.prior_correction);
  std::vector<float> bias = network.head_bias;
  for (std::size_t k = 0; k < bias.size(); ++k) {
    bias[k] -= static_cast<float>(correction * std::log(info.prior[k]));
  }
  const OnnxValue mirrored = info.mirror ? graph.mirror(x, network.side) : OnnxValue{};
  x = add_logits(graph, x, network, bias);
  if (info.mirror) {
    x = graph.scale(graph.add(x, add_logits(graph, mirrored, network, bias)), 0.5f, 0);
  }
  if (!options.logits) x = graph.softmax(x);
  graph.output(x, export_output(options), {batch, {network.classes}});

  graph.describe("labels", json(info.labels).dump());
  graph.describe("align_template", info.align_template);
  graph.describe("version", info.version);
  graph.describe("prior", json(info.prior).dump());
  graph.describe("prior_correction", json(correction).dump());
  return graph.to_bytes();
}
#endif

std::string to_model_proc(const ModelInfo& info, const ExportOptions& options) {
  return json{{"json_schema_version", "2.2.0"},
              {"input_preproc",
               {{{"format", "image"},
                 {"params",
                  {{"color_space", info.network.channels == 1 ? "GRAYSCALE" : "RGB"},
                   {"resize", "no-aspect-ratio"}}}}}},
              {"output_postproc",
               {{{"attribute_name", "emotion"},
                 {"converter", "label"},
                 {"method", options.logits ? "softmax" : "max"},
                 {"labels", info.labels}}}}}
             .dump(2) +
         "\n";
}

std::string to_label_lines(const ModelInfo& info) {
  std::string lines;
  for (const std::string& label : info.labels) {
    if (label.find_first_of("\r\n") != std::string::npos)
      throw std::runtime_error("a label of the model holds a line break: " + json(label).dump());
    lines += label + "\n";
  }
  return lines;
}

}  // namespace fer
