#include "model/foreign/network_trial.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "model/foreign/foreign_model.h"
#include "model/foreign/network_runner.h"
#include "util/first_line.h"
#include "util/read_file.h"
#include "vision/trial_process.h"

namespace fer {
namespace {

using nlohmann::json;

/// Crops of noise, and one each of black and white.
constexpr std::size_t kNoise = 3, kFaces = kNoise + 2;
/// More are no expressions.
constexpr std::size_t kMaxOutputs = 4096;

/// All of a plan but its names, which may be anything.
std::string text_of(const NetworkPlan& plan) {
  return json{{"nhwc", plan.layout == PixelOrder::kNhwc},
              {"bgr", plan.color_space == ColorSpace::kBgr},
              {"channels", plan.channels},
              {"side", plan.side},
              {"scale", plan.scale},
              {"shift", plan.shift},
              {"any_batch", plan.any_batch}}
      .dump();
}

NetworkPlan plan_of(const std::vector<std::string>& arguments) {
  const json text = json::parse(arguments.at(0));
  NetworkPlan plan;
  plan.layout = text.at("nhwc").get<bool>() ? PixelOrder::kNhwc : PixelOrder::kNchw;
  plan.channels = text.at("channels").get<int>();
  plan.color_space = plan.channels == 1           ? ColorSpace::kGrey
                     : text.at("bgr").get<bool>() ? ColorSpace::kBgr
                                                  : ColorSpace::kRgb;
  plan.side = text.at("side").get<int>();
  text.at("scale").get_to(plan.scale);
  text.at("shift").get_to(plan.shift);
  plan.any_batch = text.at("any_batch").get<bool>();
  plan.input = arguments.at(1);
  plan.output = arguments.at(2);
  return plan;
}

}  // namespace

std::vector<std::vector<float>> try_network(const std::string& onnx, const NetworkPlan& plan) {
  const TrialProgram program{
      "fer-network-trial", "lib/model", {text_of(plan), plan.input, plan.output}};
  const TrialResult result = try_in_process(program, onnx);
  if (!result.works) throw std::runtime_error(result.said);
  const json said = json::parse(result.said, nullptr, /*allow_exceptions=*/false);
  std::vector<std::vector<float>> faces;
  for (const json& row : said) {
    std::vector<float> values;
    for (const json& value : row)
      values.push_back(value.is_number() ? value.get<float>() : std::nanf(""));
    faces.push_back(std::move(values));
  }
  if (faces.size() != kFaces)
    throw std::runtime_error("a file that ends the process which opens it");
  return faces;
}

std::string run_network_trial(const std::vector<std::string>& arguments) {
  try {
    const NetworkPlan plan = plan_of(arguments);
    const auto runner = open_runner(read_file("/proc/self/fd/0", kMaxOnnxFile), plan);
    if (runner->outputs() > kMaxOutputs) {
      throw std::runtime_error("a network whose output has " + std::to_string(runner->outputs()) +
                               " values a face");
    }
    std::vector<std::uint8_t> crops = trial_noise(kNoise * plan.input_size());
    crops.resize(crops.size() + plan.input_size(), 0);
    crops.resize(crops.size() + plan.input_size(), 255);
    std::vector<float> input(crops.size());
    fill_input(plan, crops.data(), kFaces, input.data());
    std::vector<float> outputs(kFaces * runner->outputs());
    runner->run(input.data(), kFaces, outputs.data());
    json rows = json::array();
    for (std::size_t i = 0; i < kFaces; ++i) {
      const auto row = outputs.begin() + static_cast<std::ptrdiff_t>(i * runner->outputs());
      rows.push_back(std::vector<float>(row, row + static_cast<std::ptrdiff_t>(runner->outputs())));
    }
    return kTrialWorks + rows.dump();
  } catch (const std::exception& error) {
    return kTrialFails + first_line(error.what());
  }
}

}  // namespace fer
