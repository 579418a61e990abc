#include "model/classifier.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <stdexcept>
#include <utility>

#include "model/device_name.h"
#include "model/fallback_engine.h"
#include "model/folded_network.h"
#include "model/foreign/foreign_model.h"
#include "model/foreign/onnx_path.h"
#include "model/inference_engine.h"
#include "model/stored_model.h"
#include "model/torch_backend.h"

namespace fer {
namespace {

std::unique_ptr<const InferenceEngine> make_engine_on(const FoldedNetwork& network,
                                                      Precision precision,
                                                      const std::string& device) {
#ifdef HAVE_ONEDNN
  if (device == "cpu") return make_onednn_engine(network, precision);
#endif
  std::string reason;
  if (const TorchBackend* backend = open_torch_backend(reason))
    return backend->make_engine(network, precision, device);
  throw std::runtime_error(
      "models cannot be computed on the processor: this gst-fer was built without oneDNN, and its "
      "library for LibTorch cannot be opened: " +
      reason);
}

/// The crops, rows of `side` pixels, and behind them their mirror images.
std::vector<std::uint8_t> with_mirror_images(std::span<const std::uint8_t> crops,
                                             std::size_t side) {
  std::vector<std::uint8_t> both(2 * crops.size());
  std::copy(crops.begin(), crops.end(), both.begin());
  auto to = both.begin() + static_cast<std::ptrdiff_t>(crops.size());
  for (std::size_t row = 0; row < crops.size(); row += side) {
    const auto pixels = crops.subspan(row, side);
    to = std::reverse_copy(pixels.begin(), pixels.end(), to);
  }
  return both;
}

}  // namespace

Classifier::Classifier(const StoredModel& model, Precision precision, const std::string& device)
    : info_(model.info) {
  const std::string place = resolve_device(device, &fallback_);
  const FoldedNetwork network = fold(model);
  // On a GPU, fp32 unless asked: batches are small there, and bf16 gains little.
  const bool bf16 = place == "cpu" ? precision != Precision::kFp32 && cpu_has_bf16()
                                   : precision == Precision::kBf16;
  const auto make = [&] {
    if (bf16) {
      try {
        auto engine = make_engine_on(network, Precision::kBf16, place);
        precision_ = Precision::kBf16;
        return engine;
      } catch (const std::exception&) {
        // The library may have no kernels for what the processor could do; fp32 has its own say
        // below.
      }
    }
    return make_engine_on(network, Precision::kFp32, place);
  };
  if (device != "auto" || place == "cpu") {
    engine_ = make();
    return;
  }
  engine_ = std::make_unique<FallbackEngine>(
      make, [network] { return make_engine_on(network, Precision::kFp32, "cpu"); }, place);
}

Classifier::~Classifier() = default;

std::string Classifier::fallback() const {
  return fallback_.empty() ? engine_->fallback() : fallback_;
}

Classifier::Classifier(ModelInfo info, std::unique_ptr<const InferenceEngine> engine)
    : info_(std::move(info)), engine_(std::move(engine)) {}

std::shared_ptr<const Classifier> Classifier::open(const std::filesystem::path& path,
                                                   Precision precision, const std::string& device) {
  if (is_onnx_path(path)) {
    if (device != "auto" && device != "cpu") {
      throw std::runtime_error(path.string() +
                               ": ONNX networks are computed on the processor: expected device cpu "
                               "or auto, found " +
                               device);
    }
    const ForeignModel foreign = read_foreign_model(path);
    auto engine = make_foreign_engine(foreign);
    return std::shared_ptr<const Classifier>(new Classifier(foreign.info, std::move(engine)));
  }
  return std::make_shared<const Classifier>(read_stored_model(path), precision, device);
}

std::string Classifier::engine() const {
  return engine_->name();
}

std::size_t Classifier::crop_bytes() const {
  return fer::crop_bytes(info_.network);
}

std::vector<float> Classifier::logits(std::span<const std::uint8_t> crops) const {
  if (crops.size() % crop_bytes() != 0) {
    throw std::invalid_argument("Classifier::logits: expected whole crops of " +
                                std::to_string(crop_bytes()) + " bytes, found " +
                                std::to_string(crops.size()) + " bytes");
  }
  const std::size_t n = crops.size() / crop_bytes();
  if (n == 0) return {};
  if (!info_.mirror) {
    std::vector<float> logits(n * classes());
    engine_->run(crops.data(), n, logits.data());
    return logits;
  }
  const auto both = with_mirror_images(crops, static_cast<std::size_t>(info_.network.input_size));
  std::vector<float> logits(2 * n * classes());
  engine_->run(both.data(), 2 * n, logits.data());
  const std::size_t half = n * classes();
  for (std::size_t i = 0; i < half; ++i) logits[i] = (logits[i] + logits[half + i]) / 2;
  logits.resize(half);
  return logits;
}

bool Classifier::divisible() const {
  return engine_->divisible();
}

void to_probabilities(std::span<float> logits, const ModelInfo& info, double prior_correction) {
  const std::size_t classes = info.labels.size();
  const double power = prior_correction_of(info, prior_correction);
  std::vector<float> shift(classes);
  for (std::size_t k = 0; k < classes; ++k) {
    shift[k] = static_cast<float>(power * std::log(info.prior[k]));
  }
  for (std::size_t row = 0; row + classes <= logits.size(); row += classes) {
    const std::span<float> p = logits.subspan(row, classes);
    for (std::size_t k = 0; k < classes; ++k) p[k] -= shift[k];
    const float top = *std::max_element(p.begin(), p.end());
    float sum = 0;
    for (float& v : p) sum += v = std::exp(v - top);
    for (float& v : p) v /= sum;
  }
}

}  // namespace fer
