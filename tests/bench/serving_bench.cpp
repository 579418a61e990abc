// Milliseconds a batch of the classifier by the clock, from the crops in the processor's memory to
// the logits there, wherever the model runs; and what it makes of given crops, for comparison with
// others. Without Google Benchmark, which a bare GPU server hardly has.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/classifier.h"
#include "model/precision.h"

namespace fer {
namespace {

struct Options {
  std::string model, device = "cpu", crops, logits;
  Precision precision = Precision::kAuto;
  std::vector<int> batches;
  double seconds = 0.3;
};

double milliseconds_of(const Classifier& classifier, int batch, double at_least) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::uint8_t> crops(static_cast<std::size_t>(batch) * classifier.crop_bytes());
  std::mt19937 random(1);
  for (auto& pixel : crops) pixel = static_cast<std::uint8_t>(random());
  for (int i = 0; i < 10; ++i) classifier.logits(crops);
  const auto begun = Clock::now();
  std::chrono::duration<double> taken{};
  int runs = 0;
  for (; taken.count() < at_least; ++runs) {
    classifier.logits(crops);
    taken = Clock::now() - begun;
  }
  return taken.count() / runs * 1e3;
}

void classify(const Classifier& classifier, const Options& o) {
  std::ifstream in(o.crops, std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in || bytes.empty() || bytes.size() % classifier.crop_bytes() != 0) {
    throw std::runtime_error(o.crops + ": expected crops of " +
                             std::to_string(classifier.crop_bytes()) + " bytes each, found " +
                             std::to_string(bytes.size()) + " bytes");
  }
  const auto rows = classifier.logits(bytes);
  std::ofstream out(o.logits, std::ios::binary);
  out.write(reinterpret_cast<const char*>(rows.data()),
            static_cast<std::streamsize>(rows.size() * sizeof(rows[0])));
  if (!out.flush()) throw std::runtime_error(o.logits + ": cannot be written");
}

void run(const Options& o) {
  const auto classifier = Classifier::open(o.model, o.precision, o.device);
  if (!o.logits.empty()) return classify(*classifier, o);
  nlohmann::ordered_json result{
      {"device", o.device},
      {"precision", classifier->precision() == Precision::kBf16 ? "bf16" : "fp32"},
      {"engine", classifier->engine()},
      {"batches", nlohmann::ordered_json::array()}};
  for (const int batch : o.batches) {
    result["batches"].push_back(
        {{"batch", batch}, {"ms", milliseconds_of(*classifier, batch, o.seconds)}});
  }
  std::puts(result.dump(1).c_str());
}

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  fer::Options o;
  CLI::App app("Times a model's batches, or classifies crops.");
  app.add_option("model", o.model)->required()->check(CLI::ExistingFile);
  const std::map<std::string, fer::Precision> precisions{{"fp32", fer::Precision::kFp32},
                                                         {"bf16", fer::Precision::kBf16},
                                                         {"auto", fer::Precision::kAuto}};
  app.add_option("--precision", o.precision, "fp32, bf16 or auto (the default)")
      ->transform(CLI::CheckedTransformer(precisions));
  app.add_option("--device", o.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  auto* batches = app.add_option("--batch", o.batches, "Faces a batch, one size after the other")
                      ->delimiter(',')
                      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", o.seconds, "At least, of each size")->capture_default_str();
  auto* logits = app.add_option("--logits", o.logits, "Write the logits (fp32) of --crops here");
  auto* crops = app.add_option("--crops", o.crops, "Planar uint8 crops")->check(CLI::ExistingFile);
  logits->needs(crops);
  crops->needs(logits);
  batches->excludes(logits);
  CLI11_PARSE(app, argc, argv);
  if (o.batches.empty()) o.batches = {1, 16, 256};
  try {
    fer::run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "serving-bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
