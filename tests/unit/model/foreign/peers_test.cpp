// Networks that others published, where the environment's FER_MODELS has a folder peers/ with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "content.h"
#include "model/classifier.h"
#include "scoped.h"
#include "vision/model_paths.h"
#include "vision/trial_process.h"

namespace fer {
namespace {

struct Peer {
  const char* file;
  const char* description;
  /// What ONNX Runtime 1.32.0 says of tiles(), in the order of the file's outputs.
  std::vector<float> said;
};

constexpr char kXception[] = R"({
  "input": {"color_space": "GREY", "range": [-1, 1]},
  "output": {"type": "probabilities"},
  "labels": ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]})";
constexpr char kFaceApi[] = R"({
  "input": {"color_space": "RGB", "range": [0, 255], "mean": [122.782, 117.001, 104.298],
            "std": 255},
  "output": {"type": "probabilities"},
  "labels": ["neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"]})";

class Peers : public testing::TestWithParam<Peer> {};

/// Eight by eight tiles of noise, each channel anew.
std::vector<std::uint8_t> tiles(std::size_t channels, std::size_t side) {
  const std::vector<std::uint8_t> noise = trial_noise(channels * 64);
  std::vector<std::uint8_t> crop;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t y = 0; y < side; ++y) {
      for (std::size_t x = 0; x < side; ++x)
        crop.push_back(noise[c * 64 + y * 8 / side * 8 + x * 8 / side]);
    }
  }
  return crop;
}

TEST_P(Peers, SayWhatTheySayElsewhere) {
  const Peer& peer = GetParam();
  std::filesystem::path found;
  for (const auto& folder : named_model_folders()) {
    if (std::filesystem::exists(folder / "peers" / peer.file)) found = folder / "peers" / peer.file;
  }
  if (found.empty()) GTEST_SKIP() << "no peers/" << peer.file << " in FER_MODELS";
  const test::ScopedFolder folder;
  folder.write("peer.json", peer.description);
  const auto model =
      Classifier::open(folder.write("peer.onnx", test::content(found)), Precision::kFp32);
  const ModelInfo& info = model->info();
  std::vector<float> said = model->logits(tiles(static_cast<std::size_t>(info.network.channels),
                                                static_cast<std::size_t>(info.network.input_size)));
  to_probabilities(said, info, 0);
  EXPECT_THAT(said, testing::Pointwise(testing::FloatNear(2e-4f), peer.said));
}

INSTANTIATE_TEST_SUITE_P(
    , Peers,
    testing::Values(Peer{"mini_xception_fer2013_102.onnx",
                         kXception,
                         {0.07065f, 2e-05f, 0.11542f, 0.26847f, 0.30529f, 0.01467f, 0.22549f}},
                    Peer{"mini_xception_fer2013_119.onnx",
                         kXception,
                         {0.27655f, 0.00132f, 0.13371f, 0.20437f, 0.19969f, 0.06527f, 0.11909f}},
                    Peer{"big_xception_fer2013_54.onnx",
                         kXception,
                         {0.03893f, 0.00019f, 0.02503f, 0.01069f, 0.85799f, 0.00962f, 0.05755f}},
                    Peer{"faceapi_expression.onnx",
                         kFaceApi,
                         {0.09125f, 0.109f, 0.66722f, 0.0165f, 0.11452f, 0.00085f, 0.00066f}}));

}  // namespace
}  // namespace fer
