#include "model/foreign/description.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>
#include <stdexcept>

#include "model/foreign/description_parts.h"
#include "model/foreign/network_plan.h"
#include "model/labels.h"
#include "model/shallow_json.h"
#include "util/json_text.h"

namespace fer {
namespace {

/// Deeper than any description.
constexpr int kMaxDescriptionDepth = 16;
/// As in model files (stored_model.cpp).
constexpr double kLeastTemperature = 0.01, kMostTemperature = 100, kMostBias = 100;
/// Sides of pictures that are no expression network's.
constexpr int kMinSide = 2, kMaxSide = 1024;

/// In capitals, so that "rgb" is "RGB".
std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return text;
}

void read_input(const JsonFields& fields, NetworkDescription& description) {
  fields.allow({"name", "size", "color_space", "layout", "range", "mean", "std"});
  if (fields.has("name")) description.input_name = fields.text("name", "a name");
  if (fields.has("size")) {
    const std::string expected = "a whole number of pixels from " + std::to_string(kMinSide) +
                                 " to " + std::to_string(kMaxSide);
    const double size = fields.number("size", kMinSide, kMaxSide, expected);
    if (size != std::floor(size))
      fields.fail_at("size", expected, JsonFields::shown(fields.at("size", expected)));
    description.size = static_cast<int>(size);
  }
  if (fields.has("layout")) {
    const std::string expected = "\"nchw\" or \"nhwc\"", layout = fields.text("layout", expected);
    if (upper(layout) != "NCHW" && upper(layout) != "NHWC")
      fields.fail_at("layout", expected, "\"" + layout + "\"");
    description.layout = upper(layout) == "NCHW" ? PixelOrder::kNchw : PixelOrder::kNhwc;
  }
  // What it should be cannot be told from the file, and a wrong guess costs accuracy in silence.
  fields.at(
      "range",
      "the values that black and white have before mean and std: [0, 1], [0, 255] or [-1, 1]");
  read_pixels(fields, description);
}

void read_output(const JsonFields& fields, NetworkDescription& description) {
  fields.allow({"name", "type"});
  if (fields.has("name")) description.output_name = fields.text("name", "a name");
  const std::string expected = "\"logits\" or \"probabilities\"",
                    type = fields.text("type", expected);
  if (type != "logits" && type != "probabilities")
    fields.fail_at("type", expected, "\"" + type + "\"");
  description.type = type == "logits" ? OutputType::kLogits : OutputType::kProbabilities;
}

/// A list with an entry for each class.
std::vector<float> read_per_class(const JsonFields& fields, const char* key, std::size_t classes,
                                  double least, double most, const std::string& each) {
  const std::string expected = "a list of " + std::to_string(classes) + " numbers " + each +
                               ", one a label that is not left out";
  std::vector<float> values;
  const auto& list = fields.at(key, expected);
  const std::vector<double> numbers = fields.numbers(key, expected);
  const bool fits = list.is_array() && numbers.size() == classes &&
                    std::all_of(numbers.begin(), numbers.end(),
                                [&](double v) { return v >= least && v <= most; });
  if (!fits) fields.fail_at(key, expected, JsonFields::shown(list));
  for (const double number : numbers) values.push_back(static_cast<float>(number));
  return values;
}

void read_belief(const JsonFields& root, NetworkDescription& description) {
  const std::size_t classes = description.classes();
  constexpr double kLeastShare = 1e-6;
  if (root.has("prior"))
    description.prior =
        read_per_class(root, "prior", classes, kLeastShare, 1, "from 0.000001 to 1");
  if (root.has("prior_correction")) {
    description.prior_correction = root.number("prior_correction", 0, 1, "a number from 0 to 1");
    if (description.prior_correction > 0 && description.prior.empty()) {
      root.fail_at("prior",
                   "the share of each label in the training data, since prior_correction "
                   "divides by it",
                   "nothing");
    }
  }
  if (root.has("calibration")) {
    const JsonFields fields =
        root.object("calibration", "a temperature, and a bias for each label");
    fields.allow({"temperature", "bias"});
    if (fields.has("temperature")) {
      description.calibration.temperature = fields.number(
          "temperature", kLeastTemperature, kMostTemperature, "a number from 0.01 to 100");
    }
    if (fields.has("bias") && !fields.at("bias", "").empty()) {
      description.calibration.bias =
          read_per_class(fields, "bias", classes, -kMostBias, kMostBias, "from -100 to 100");
    }
  }
  if (!root.has("operating_points")) return;
  const std::string expected =
      "a list of a number from 0 to 1, or null, for each label that is not left out";
  const auto& points = root.at("operating_points", expected);
  bool fits = points.is_array() && points.size() == classes;
  for (std::size_t k = 0; fits && k < points.size(); ++k) {
    fits = points[k].is_null() ||
           (points[k].is_number() && points[k].get<double>() >= 0 && points[k].get<double>() <= 1);
    if (!fits) break;
    description.operating_points.push_back(
        points[k].is_null() ? std::numeric_limits<float>::infinity() : points[k].get<float>());
  }
  if (!fits) root.fail_at("operating_points", expected, JsonFields::shown(points));
}

void read_own(const JsonFields& root, NetworkDescription& description) {
  root.allow({"input", "output", "labels", "align_template", "mirror", "prior", "prior_correction",
              "calibration", "operating_points"});
  read_input(root.object("input", "an object that says how pixels come to the network"),
             description);
  read_output(root.object("output", "an object with the type of the outputs"), description);
  read_labels(root, description);
  if (root.has("align_template")) {
    const std::string expected = "\"fer\" or \"arcface\"";
    description.align_template = root.text("align_template", expected);
    description.align_told = true;
    if (description.align_template != "fer" && description.align_template != "arcface")
      root.fail_at("align_template", expected, "\"" + description.align_template + "\"");
  }
  if (root.has("mirror")) description.mirror = root.flag("mirror");
  read_belief(root, description);
}

}  // namespace

void read_labels(const JsonFields& fields, NetworkDescription& description) {
  const std::string expected = "a list of names, one an output";
  const auto& labels = fields.at("labels", expected);
  if (!labels.is_array() || labels.empty())
    fields.fail_at("labels", expected, JsonFields::shown(labels));
  std::set<std::string> known;
  for (const auto& label : labels) {
    if (label.is_null()) {
      description.labels.emplace_back();
      continue;
    }
    if (!label.is_string()) fields.fail_at("labels", expected, JsonFields::shown(label));
    const auto name = canonical_label(label.get_ref<const std::string&>());
    if (!name) {
      fields.fail_at("labels",
                     "names of expressions (" + join(ferplus_labels()) +
                         ", or usual words for them), or null for an output to leave out",
                     JsonFields::shown(label));
    }
    if (!known.insert(*name).second) {
      fields.fail_at("labels", "each expression once",
                     JsonFields::shown(label) + ", the second for \"" + *name + "\"");
    }
    description.labels.push_back(name);
  }
  if (known.size() < 2)
    fields.fail_at("labels", "at least two names", std::to_string(known.size()));
}

void read_pixels(const JsonFields& fields, NetworkDescription& description) {
  if (fields.has("color_space")) {
    const std::string expected = "\"GREY\", \"RGB\" or \"BGR\"",
                      color = upper(fields.text("color_space", expected));
    if (color == "GREY" || color == "GRAY" || color == "GRAYSCALE" || color == "GREYSCALE") {
      description.color_space = ColorSpace::kGrey;
    } else if (color == "RGB") {
      description.color_space = ColorSpace::kRgb;
    } else if (color == "BGR") {
      description.color_space = ColorSpace::kBgr;
    } else {
      fields.fail_at("color_space", expected,
                     JsonFields::shown(fields.at("color_space", expected)));
    }
  }
  if (fields.has("range")) {
    const std::string expected = "two numbers that rise: the values of black and white";
    const std::vector<double> range = fields.numbers("range", expected);
    if (range.size() != 2 || !(range[0] < range[1]))
      fields.fail_at("range", expected, JsonFields::shown(fields.at("range", expected)));
    description.low = range[0];
    description.high = range[1];
  }
  const auto read = [&](const char* key, const std::string& expected) {
    if (!fields.has(key)) return std::vector<double>();
    const std::vector<double> values = fields.numbers(key, expected);
    if (values.size() != 1 && values.size() != 3)
      fields.fail_at(key, expected, JsonFields::shown(fields.at(key, expected)));
    return values;
  };
  description.mean = read("mean", "a number, or a list of one a channel");
  const std::string positive = "a number above 0, or a list of one a channel";
  description.deviation = read("std", positive);
  for (const double deviation : description.deviation) {
    if (!(deviation > 0))
      fields.fail_at("std", positive, JsonFields::shown(fields.at("std", positive)));
  }
}

std::size_t NetworkDescription::classes() const {
  return static_cast<std::size_t>(std::count_if(
      labels.begin(), labels.end(), [](const auto& label) { return label.has_value(); }));
}

NetworkDescription parse_description(const std::filesystem::path& file, std::string_view text) {
  const nlohmann::json json = parse_shallow_json(text, kMaxDescriptionDepth);
  if (json.is_discarded()) {
    throw std::runtime_error(file.string() +
                             ": expected JSON, found text that is none (it has no NaN, no comments "
                             "and no comma behind a last entry)");
  }
  NetworkDescription description;
  const JsonFields root(file, "", json);
  if (root.has("input_preproc") || root.has("output_postproc")) {
    read_model_proc(root, description);
  } else {
    read_own(root, description);
  }
  return description;
}

std::string description_text(const NetworkDescription& description, const NetworkPlan& plan) {
  using Json = nlohmann::ordered_json;
  Json input{{"name", plan.input},
             {"size", plan.side},
             {"color_space", upper(name_of(plan.color_space))},
             {"layout", name_of(plan.layout)},
             {"range", {description.low, description.high}}};
  if (!description.mean.empty()) input["mean"] = description.mean;
  if (!description.deviation.empty()) input["std"] = description.deviation;
  Json labels = Json::array();
  for (const auto& label : description.labels) labels.push_back(label ? Json(*label) : Json());
  Json text{{"input", std::move(input)},
            {"output", {{"name", plan.output}, {"type", name_of(description.type)}}},
            {"labels", std::move(labels)}};
  if (description.align_told) text["align_template"] = description.align_template;
  if (description.mirror) text["mirror"] = true;
  if (!description.prior.empty()) text["prior"] = description.prior;
  if (description.prior_correction != 0) text["prior_correction"] = description.prior_correction;
  if (!description.calibration.is_identity()) {
    text["calibration"] = {{"temperature", description.calibration.temperature},
                           {"bias", description.calibration.bias}};
  }
  for (const float point : description.operating_points)
    text["operating_points"].push_back(std::isinf(point) ? Json() : Json(point));
  return json_text(text, 2) + "\n";
}

const char* name_of(ColorSpace color) {
  return color == ColorSpace::kGrey ? "grey" : color == ColorSpace::kRgb ? "rgb" : "bgr";
}

const char* name_of(PixelOrder layout) {
  return layout == PixelOrder::kNchw ? "nchw" : "nhwc";
}

const char* name_of(OutputType type) {
  return type == OutputType::kLogits ? "logits" : "probabilities";
}

}  // namespace fer
