// model-proc: the file by which DL Streamer's gvaclassify knows how to feed a network and what its
// outputs mean. Versions 2.0.0 to 2.2.0 of its schema, as DL Streamer's guide has them. Its aligned
// crops are ours, so that `resize` and `crop` ask for nothing.
#include "model/foreign/description_parts.h"

namespace fer {
namespace {

/// The only entry of a list.
JsonFields only_entry(const JsonFields& root, const char* key, const std::string& expected) {
  const auto& list = root.at(key, expected);
  if (!list.is_array() || list.size() != 1) root.fail_at(key, expected, JsonFields::shown(list));
  return JsonFields(root.file(), std::string(key) + "[0].", list[0]);
}

void read_image_input(const JsonFields& input, NetworkDescription& description) {
  input.allow({"layer_name", "format", "precision", "params"});
  if (input.has("layer_name")) description.input_name = input.text("layer_name", "a name");
  if (input.has("format") && input.text("format", "\"image\"") != "image")
    input.fail_at("format", "\"image\"", JsonFields::shown(input.at("format", "")));
  if (!input.has("params")) return;
  const JsonFields params = input.object("params", "an object");
  params.allow({"color_space", "range", "mean", "std", "resize", "crop", "padding"});
  read_pixels(params, description);
}

void read_label_output(const JsonFields& output, NetworkDescription& description) {
  output.allow({"layer_name", "attribute_name", "converter", "method", "labels", "precision"});
  if (output.has("layer_name")) description.output_name = output.text("layer_name", "a name");
  const std::string converters = "\"label\", since the network is to name expressions";
  const std::string converter = output.text("converter", converters);
  if (converter != "label" && converter != "tensor_to_label")
    output.fail_at("converter", converters, "\"" + converter + "\"");
  const std::string methods =
      "\"softmax\" where the outputs are logits, or \"max\" where they are probabilities";
  const std::string method = output.has("method") ? output.text("method", methods) : "max";
  if (method != "softmax" && method != "max")
    output.fail_at("method", methods, "\"" + method + "\"");
  description.type = method == "softmax" ? OutputType::kLogits : OutputType::kProbabilities;
  read_labels(output, description);
}

}  // namespace

void read_model_proc(const JsonFields& root, NetworkDescription& description) {
  root.allow({"json_schema_version", "input_preproc", "output_postproc"});
  description.model_proc = true;
  if (root.has("input_preproc") && !root.at("input_preproc", "").empty()) {
    read_image_input(only_entry(root, "input_preproc", "one input, the face"), description);
  }
  read_label_output(only_entry(root, "output_postproc", "one output, the expressions"),
                    description);
}

}  // namespace fer
