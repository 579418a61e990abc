// The description of a network that others made: what its ONNX file does not say.
// docs/reference/model-description.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "export.h"
#include "model/calibration.h"

namespace fer {

struct NetworkPlan;

/// What stands in a pixel, in the order in which the network takes it.
enum class ColorSpace { kGrey, kRgb, kBgr };

/// Where the channels of a picture stand: N x C x H x W (kNchw) or N x H x W x C.
enum class PixelOrder { kNchw, kNhwc };

/// What the network's outputs are before anything is made of them.
enum class OutputType { kLogits, kProbabilities };

/// A description as its file says it. What is not said there is empty.
struct NetworkDescription {
  bool model_proc = false;  ///< It is one of DL Streamer's.
  // The input.
  std::optional<std::string> input_name;
  std::optional<int> size;  ///< Side of the square input, in pixels.
  std::optional<ColorSpace> color_space;
  std::optional<PixelOrder> layout;
  double low = 0, high = 255;     ///< Pixels from 0 to 255 are brought to this range …
  std::vector<double> mean;       ///< … lessened by this: none, one number, or one a channel …
  std::vector<double> deviation;  ///< … and divided by this.
  std::string align_template = "fer";
  bool align_told = false;  ///< The file names the template.
  bool mirror = false;
  // The output.
  std::optional<std::string> output_name;
  OutputType type = OutputType::kProbabilities;
  /// One an output, by FER+'s names; nullopt: an output that is left out.
  std::vector<std::optional<std::string>> labels;
  // What makes its probabilities believable; one entry a label that is not left out.
  std::vector<float> prior;
  double prior_correction = 0;
  Calibration calibration;
  std::vector<float> operating_points;

  /// Outputs that are not left out.
  std::size_t classes() const;
};

/// Reads a description from its text, as NAME.json or as DL Streamer's model-proc. Throws
/// std::runtime_error: the file's name, the key, what was expected and what was found.
FER_API NetworkDescription parse_description(const std::filesystem::path& file,
                                             std::string_view text);

/// The text of a description of our own that says the same, all of it: what was left to defaults or
/// to a model-proc file, too. `plan`: of this description.
FER_API std::string description_text(const NetworkDescription& description,
                                     const NetworkPlan& plan);

/// For messages and `fer info`: "grey", "rgb", "bgr"; "nchw", "nhwc"; "logits", "probabilities".
FER_API const char* name_of(ColorSpace color);
FER_API const char* name_of(PixelOrder layout);
FER_API const char* name_of(OutputType type);

}  // namespace fer
