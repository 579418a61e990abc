#include "model/face_gate.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "model/safetensors.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "gst-fer-gate/1";

}  // namespace

float FaceGate::score(std::span<const float> features) const {
  if (features.size() != weight.size()) {
    throw std::invalid_argument("face gate: expected " + std::to_string(weight.size()) +
                                " features, found " + std::to_string(features.size()));
  }
  return std::inner_product(features.begin(), features.end(), weight.begin(), bias);
}

std::vector<float> pooled_map(std::span<const float> map, int channels, int height, int width,
                              int grid) {
  const auto pixels = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  if (map.size() != pixels * static_cast<std::size_t>(channels) || grid < 1 || height < 1 ||
      width < 1)
    throw std::invalid_argument("pooled_map: the map does not have the size that its shape says");
  std::vector<float> out;
  for (int c = 0; c < channels; ++c) {
    const float* plane = map.data() + static_cast<std::size_t>(c) * pixels;
    for (int gy = 0; gy < grid; ++gy) {
      const int top = gy * height / grid, bottom = ((gy + 1) * height + grid - 1) / grid;
      for (int gx = 0; gx < grid; ++gx) {
        const int left = gx * width / grid, right = ((gx + 1) * width + grid - 1) / grid;
        float sum = 0;
        for (int y = top; y < bottom; ++y)
          for (int x = left; x < right; ++x) sum += plane[y * width + x];
        out.push_back(sum / static_cast<float>((bottom - top) * (right - left)));
      }
    }
  }
  return out;
}

void write_face_gate(const std::filesystem::path& path, const FaceGate& gate) {
  const json about{{"network", gate.network},
                   {"blocks", gate.blocks},
                   {"grid", gate.grid},
                   {"bias", gate.bias},
                   {"line", gate.line}};
  const TensorView weight{DType::kF32,
                          {static_cast<std::int64_t>(gate.weight.size())},
                          gate.weight.data(),
                          gate.weight.size() * sizeof(float)};
  write_safetensors(path, {{"weight", weight}}, {{"format", kFormat}, {"gate", about.dump()}});
}

FaceGate read_face_gate(const std::filesystem::path& path) {
  const SafetensorsFile file(path, FileAccess::kRead);
  const auto fail = [&](const std::string& what) -> std::runtime_error {
    return std::runtime_error(path.string() + ": " + what);
  };
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kFormat)
    throw fail(std::string("expected a face gate (format ") + kFormat + ")");
  FaceGate gate;
  try {
    const json about = json::parse(file.meta("gate"));
    about.at("network").get_to(gate.network);
    about.at("blocks").get_to(gate.blocks);
    about.at("grid").get_to(gate.grid);
    about.at("bias").get_to(gate.bias);
    about.at("line").get_to(gate.line);
  } catch (const json::exception& error) {
    throw fail(std::string("its metadata is broken: ") + error.what());
  }
  const TensorView& weight = file.at("weight", DType::kF32, 1);
  const auto* values = static_cast<const float*>(weight.data);
  gate.weight.assign(values, values + weight.shape[0]);
  if (gate.grid < 1 || gate.grid > 64 || gate.blocks < 0 || gate.weight.empty() ||
      gate.weight.size() % static_cast<std::size_t>(gate.grid * gate.grid) != 0)
    throw fail("expected a weight for each channel and cell of its grid");
  for (const float value : gate.weight)
    if (!std::isfinite(value)) throw fail("a weight is no number");
  if (!std::isfinite(gate.bias) || !std::isfinite(gate.line)) throw fail("its line is no number");
  return gate;
}

}  // namespace fer
