#include "model/classifier.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "model/folded_network.h"
#include "model/inference_engine.h"
#include "model/model_file.h"

namespace fer {
namespace {

Precision resolve(Precision wanted, Device device) {
  if (wanted == Precision::kFp32) return wanted;
  // On a GPU, fp32 unless asked: batches are small there, and bf16 gains little.
  if (device == Device::kCuda) return wanted == Precision::kAuto ? Precision::kFp32 : wanted;
  return cpu_has_bf16() ? Precision::kBf16 : Precision::kFp32;
}

std::unique_ptr<const InferenceEngine> make_engine(const ModelFile& model, Precision precision,
                                                   Device device) {
  const FoldedNetwork network = fold(model);
#ifdef HAVE_ONEDNN
  if (device == Device::kCpu) return make_onednn_engine(network, precision);
#endif
  return make_aten_engine(network, precision, device);
}

}  // namespace

Classifier::Classifier(const ModelFile& model, Precision precision, Device device)
    : info_(model.info),
      precision_(resolve(precision, device)),
      engine_(make_engine(model, precision_, device)) {}

Classifier::~Classifier() = default;

std::shared_ptr<const Classifier> Classifier::open(const std::filesystem::path& path,
                                                   Precision precision, Device device) {
  return std::make_shared<const Classifier>(read_model(path), precision, device);
}

std::string Classifier::engine() const {
  return engine_->name();
}

std::size_t Classifier::crop_bytes() const {
  const NetworkConfig& n = info_.network;
  return static_cast<std::size_t>(n.channels) * static_cast<std::size_t>(n.input_size) *
         static_cast<std::size_t>(n.input_size);
}

std::vector<float> Classifier::logits(std::span<const std::uint8_t> crops) const {
  if (crops.size() % crop_bytes() != 0) {
    throw std::invalid_argument("Classifier::logits: expected whole crops of " +
                                std::to_string(crop_bytes()) + " bytes, found " +
                                std::to_string(crops.size()) + " bytes");
  }
  const std::size_t n = crops.size() / crop_bytes();
  std::vector<float> logits(n * classes());
  if (n > 0) engine_->run(crops.data(), n, logits.data());
  return logits;
}

bool Classifier::divisible() const {
  return engine_->divisible();
}

void to_probabilities(std::span<float> logits, const ModelInfo& info, double prior_correction) {
  const std::size_t classes = info.labels.size();
  std::vector<float> shift(classes);
  for (std::size_t k = 0; k < classes; ++k) {
    shift[k] = static_cast<float>(prior_correction * std::log(info.prior[k]));
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
