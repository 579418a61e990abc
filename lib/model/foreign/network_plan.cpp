#include "model/foreign/network_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "model/foreign/onnx_header.h"
#include "model/foreign/onnx_path.h"
#include "util/join.h"

namespace fer {
namespace {

/// Where the extents stand in a shape of four.
struct Places {
  std::size_t channels, rows, columns;
};

Places places_of(PixelOrder layout) {
  return layout == PixelOrder::kNchw ? Places{1, 2, 3} : Places{3, 1, 2};
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string names_of(const std::vector<OnnxTensor>& tensors) {
  std::vector<std::string> names;
  for (const OnnxTensor& tensor : tensors) names.push_back(quoted(tensor.name));
  return names.empty() ? "none" : join(names);
}

/// Brings a description and a file together.
class Planner {
 public:
  Planner(const NetworkDescription& description, const OnnxHeader& header,
          const std::filesystem::path& onnx)
      : description_(description),
        header_(header),
        onnx_(onnx.string()),
        file_(onnx_description_path(onnx).string()) {}

  NetworkPlan plan() {
    const OnnxTensor& input = choose_input();
    NetworkPlan plan;
    plan.input = input.name;
    if (!input.shape.empty() && input.shape.size() != 4) {
      fail_onnx("its input " + quoted(input.name),
                "four dimensions, N x C x H x W or N x H x W x C", shape_text(input.shape));
    }
    // Without a shape, all is left open.
    const std::vector<std::int64_t> shape =
        input.shape.empty() ? std::vector<std::int64_t>(4, kAnyExtent) : input.shape;
    if (shape[0] != kAnyExtent && shape[0] != 1) {
      fail_onnx("its input " + quoted(input.name), "one face a call, or any number of them (N)",
                shape_text(shape));
    }
    plan.any_batch = shape[0] == kAnyExtent;
    plan.layout = layout_of(shape);
    plan.channels = channels_of(shape[places_of(plan.layout).channels]);
    plan.color_space = color_of(plan.channels);
    plan.side = side_of(shape, places_of(plan.layout));
    set_scale(plan);
    plan.output = choose_output().name;
    return plan;
  }

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& expected,
                         const std::string& found) const {
    throw std::runtime_error(file_ + ": " + key + ": expected " + expected + ", found " + found);
  }
  [[noreturn]] void fail_onnx(const std::string& part, const std::string& expected,
                              const std::string& found) const {
    throw std::runtime_error(onnx_ + ": " + part + ": expected " + expected + ", found " + found);
  }

  void require_floats(const OnnxTensor& tensor, const char* what) const {
    if (tensor.element_type == kOnnxFloat || tensor.element_type == 0) return;
    fail_onnx(what + quoted(tensor.name), "values of fp32",
              "ONNX's element type " + std::to_string(tensor.element_type));
  }

  const OnnxTensor& choose_input() const {
    if (header_.inputs.size() != 1)
      fail_onnx("its inputs", "one, the pixels of a face", names_of(header_.inputs));
    const OnnxTensor& input = header_.inputs.front();
    if (description_.input_name && *description_.input_name != input.name) {
      fail(description_.model_proc ? "input_preproc[0].layer_name" : "input.name",
           quoted(input.name) + ", the input of " + onnx_, quoted(*description_.input_name));
    }
    require_floats(input, "its input ");
    return input;
  }

  const OnnxTensor& choose_output() const {
    const char* key = description_.model_proc ? "output_postproc[0].layer_name" : "output.name";
    const auto& outputs = header_.outputs;
    auto chosen = outputs.begin();
    if (description_.output_name) {
      chosen = std::find_if(outputs.begin(), outputs.end(), [&](const OnnxTensor& output) {
        return output.name == *description_.output_name;
      });
      if (chosen == outputs.end()) {
        fail(key, "an output of " + onnx_ + " (" + names_of(outputs) + ")",
             quoted(*description_.output_name));
      }
    } else if (outputs.size() > 1) {
      fail(key, "one of the outputs of " + onnx_ + " (" + names_of(outputs) + ")", "nothing");
    }
    require_floats(*chosen, "its output ");
    const auto& shape = chosen->shape;
    const bool known =
        shape.size() > 1 && std::find(shape.begin() + 1, shape.end(), kAnyExtent) == shape.end();
    std::int64_t values = 1;
    for (std::size_t i = 1; known && i < shape.size() && values < 1 << 20; ++i) {
      values = shape[i] > 1 << 20 ? shape[i] : values * shape[i];
    }
    if (known && values != static_cast<std::int64_t>(description_.labels.size())) {
      fail(description_.model_proc ? "output_postproc[0].labels" : "labels",
           std::to_string(values) + ", since output " + quoted(chosen->name) + " of " + onnx_ +
               " is " + shape_text(shape) + " (null leaves one out)",
           std::to_string(description_.labels.size()));
    }
    return *chosen;
  }

  PixelOrder layout_of(const std::vector<std::int64_t>& shape) const {
    const auto fits = [&](PixelOrder layout) {
      const Places at = places_of(layout);
      const std::int64_t channels = shape[at.channels];
      const bool square = shape[at.rows] == shape[at.columns] || shape[at.rows] == kAnyExtent ||
                          shape[at.columns] == kAnyExtent;
      return square && (channels == 1 || channels == 3 || channels == kAnyExtent);
    };
    const bool planes = fits(PixelOrder::kNchw), rows = fits(PixelOrder::kNhwc);
    const std::string shown = shape_text(shape);
    if (!planes && !rows) {
      fail_onnx("its input",
                "square pictures of one or three channels, N x C x H x W or N x H x W "
                "x C",
                shown);
    }
    if (description_.layout) {
      if (*description_.layout == PixelOrder::kNchw ? planes : rows) return *description_.layout;
      fail("input.layout",
           quoted(planes ? "nchw" : "nhwc") + ", since the input of " + onnx_ + " is " + shown,
           quoted(name_of(*description_.layout)));
    }
    if (planes && rows && !description_.model_proc) {
      fail("input.layout", "\"nchw\" or \"nhwc\", since the input of " + onnx_ + " is " + shown,
           "nothing");
    }
    return planes ? PixelOrder::kNchw : PixelOrder::kNhwc;
  }

  std::string color_key() const {
    return description_.model_proc ? "input_preproc[0].params.color_space" : "input.color_space";
  }

  int channels_of(std::int64_t extent) const {
    if (extent != kAnyExtent) return static_cast<int>(extent);
    if (!description_.color_space) {
      fail(color_key(),
           "\"GREY\", \"RGB\" or \"BGR\", since " + onnx_ + " leaves the number of channels open",
           "nothing");
    }
    return *description_.color_space == ColorSpace::kGrey ? 1 : 3;
  }

  ColorSpace color_of(int channels) const {
    if (!description_.color_space) {
      if (channels == 1) return ColorSpace::kGrey;
      // DL Streamer's own default.
      if (description_.model_proc) return ColorSpace::kBgr;
      fail(color_key(), "\"RGB\" or \"BGR\", since the input of " + onnx_ + " has three channels",
           "nothing");
    }
    if ((*description_.color_space == ColorSpace::kGrey) != (channels == 1)) {
      fail(color_key(),
           std::string(channels == 1 ? "\"GREY\"" : "\"RGB\" or \"BGR\"") +
               ", since the input of " + onnx_ + " has " +
               (channels == 1 ? "one channel" : "three channels"),
           quoted(name_of(*description_.color_space)));
    }
    return *description_.color_space;
  }

  int side_of(const std::vector<std::int64_t>& shape, const Places& at) const {
    constexpr int kMaxSide = 1024;
    const std::int64_t side = std::max(shape[at.rows], shape[at.columns]);
    if (side == kAnyExtent) {
      if (!description_.size && description_.model_proc) {
        fail_onnx("its input", "a size, since a model-proc file has none", shape_text(shape));
      }
      if (!description_.size) {
        fail("input.size", "the side of the input in pixels, since " + onnx_ + " leaves it open",
             "nothing");
      }
      return *description_.size;
    }
    if (side < 2 || side > kMaxSide)
      fail_onnx("its input", "a side from 2 to 1024 pixels", shape_text(shape));
    if (description_.size && *description_.size != side) {
      fail("input.size",
           std::to_string(side) + ", since the input of " + onnx_ + " is " + shape_text(shape),
           std::to_string(*description_.size));
    }
    return static_cast<int>(side);
  }

  void set_scale(NetworkPlan& plan) const {
    const auto value = [&](const std::vector<double>& values, int channel, double otherwise) {
      if (values.empty()) return otherwise;
      return values.size() == 1 ? values[0] : values[static_cast<std::size_t>(channel)];
    };
    const auto check = [&](const char* key, const std::vector<double>& values) {
      const auto channels = static_cast<std::size_t>(plan.channels);
      if (values.size() <= 1 || values.size() == channels) return;
      fail((description_.model_proc ? "input_preproc[0].params." : "input.") + std::string(key),
           "a number, or a list of one a channel (" + std::to_string(channels) + ")",
           std::to_string(values.size()) + " numbers");
    };
    check("mean", description_.mean);
    check("std", description_.deviation);
    for (int c = 0; c < plan.channels; ++c) {
      const double deviation = value(description_.deviation, c, 1);
      plan.scale.push_back(
          static_cast<float>((description_.high - description_.low) / 255 / deviation));
      plan.shift.push_back(
          static_cast<float>((description_.low - value(description_.mean, c, 0)) / deviation));
      if (!std::isfinite(plan.scale.back()) || !std::isfinite(plan.shift.back()))
        fail("range, mean and std", "numbers that fp32 holds", "larger ones");
    }
  }

  const NetworkDescription& description_;
  const OnnxHeader& header_;
  const std::string onnx_, file_;
};

}  // namespace

std::vector<std::int64_t> NetworkPlan::input_shape(std::size_t n) const {
  const auto faces = static_cast<std::int64_t>(n);
  if (layout == PixelOrder::kNchw) return {faces, channels, side, side};
  return {faces, side, side, channels};
}

NetworkPlan plan_network(const NetworkDescription& description, const OnnxHeader& header,
                         const std::filesystem::path& onnx) {
  return Planner(description, header, onnx).plan();
}

void fill_input(const NetworkPlan& plan, const std::uint8_t* crops, std::size_t n, float* input) {
  const auto channels = static_cast<std::size_t>(plan.channels);
  const std::size_t pixels = plan.input_size() / channels;
  const bool planes = plan.layout == PixelOrder::kNchw;
  const std::size_t step = planes ? 1 : channels;
  for (std::size_t c = 0; c < channels; ++c) {
    const std::size_t plane = plan.color_space == ColorSpace::kBgr ? channels - 1 - c : c;
    std::array<float, 256> value{};
    for (std::size_t v = 0; v < value.size(); ++v)
      value[v] = static_cast<float>(v) * plan.scale[c] + plan.shift[c];
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint8_t* from = crops + i * plan.input_size() + plane * pixels;
      float* to = input + i * plan.input_size() + (planes ? c * pixels : c);
      for (std::size_t p = 0; p < pixels; ++p) to[p * step] = value[from[p]];
    }
  }
}

}  // namespace fer
