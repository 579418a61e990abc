#include "stream/gates.h"

#include <cstdlib>
#include <numeric>

namespace fer {

const char* name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kUnsure:
      return "unsure";
    case Refusal::kSmall:
      return "small";
    case Refusal::kDark:
      return "dark";
    case Refusal::kBright:
      return "bright";
    case Refusal::kBlurred:
      return "blurred";
    case Refusal::kShort:
      return "short";
    case Refusal::kDisagreement:
      return "disagreement";
    case Refusal::kUnfamiliar:
      return "unfamiliar";
  }
  return "";
}

float sharpness_of(const std::vector<std::uint8_t>& crop, int side) {
  const auto plane = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  if (side < 3 || crop.size() < plane) return 0;
  std::int64_t sum = 0, count = 0;
  for (std::size_t base = 0; base + plane <= crop.size(); base += plane) {
    for (int y = 1; y + 1 < side; ++y) {
      const std::uint8_t* row = crop.data() + base + static_cast<std::size_t>(y * side);
      for (int x = 1; x + 1 < side; ++x) {
        sum += std::abs(4 * row[x] - row[x - 1] - row[x + 1] - row[x - side] - row[x + side]);
        ++count;
      }
    }
  }
  return static_cast<float>(sum) / static_cast<float>(count);
}

std::optional<Refusal> refuse_face(const FaceSample& face, int side, const GateConfig& gates) {
  if (face.confidence < gates.min_confidence) return Refusal::kUnsure;
  if (face.face_size > 0 && face.face_size < gates.min_size) return Refusal::kSmall;
  const double sum = std::accumulate(face.crop.begin(), face.crop.end(), 0.0);
  const double mean = face.crop.empty() ? 0 : sum / static_cast<double>(face.crop.size());
  if (mean < gates.min_mean) return Refusal::kDark;
  if (mean > gates.max_mean) return Refusal::kBright;
  if (sharpness_of(face.crop, side) < gates.min_sharpness) return Refusal::kBlurred;
  return std::nullopt;
}

}  // namespace fer
