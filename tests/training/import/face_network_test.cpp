#include "import/face_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "error_of.h"
#include "network/network.h"
#include "scoped.h"

namespace fer {
namespace {

using testing::HasSubstr;

/// As published, with other numbers: stem, and two convolutions a block of the five levels.
PublishedFaceNetwork made_up_network() {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  PublishedFaceNetwork published;
  const auto add = [&](int in, int out, int kernel) {
    PublishedConv conv;
    conv.in = in;
    conv.out = out;
    conv.kernel = kernel;
    const auto count = static_cast<std::size_t>(in * out * kernel * kernel);
    const float deviation = 1 / std::sqrt(static_cast<float>(in * kernel * kernel));
    for (std::size_t i = 0; i < count; ++i) conv.weight.push_back(normal(random) * deviation);
    for (int i = 0; i < out; ++i) {
      conv.bias.push_back(0.1f * normal(random));
      conv.scale.push_back(0.5f + 0.1f * normal(random));
      conv.shift.push_back(0.1f * normal(random));
    }
    published.convs.push_back(std::move(conv));
  };
  add(3, 32, 7);
  int in = 32;
  for (const auto& [width, blocks] : {std::pair{32, 3}, std::pair{64, 4}, std::pair{128, 3},
                                      std::pair{256, 3}, std::pair{256, 1}}) {
    for (int i = 0; i < blocks; ++i) {
      add(in, width, 3);
      add(width, width, 3);
      in = width;
    }
  }
  return published;
}

/// The start's weights in a network; its head is left to chance.
Network network_of(const ModelFile& start) {
  const torch::NoGradGuard no_grad;
  Network network(start.info.network);
  const auto fill = [&](const auto& items) {
    for (const auto& item : items) {
      const auto found = start.weights.find(item.key());
      if (found != start.weights.end()) item.value().copy_(found->second);
    }
  };
  fill(network->named_parameters());
  fill(network->named_buffers());
  network->eval();
  return network;
}

/// What the network makes of bytes (N x channels x S x S), up to its pooled features.
torch::Tensor features(const ModelFile& start, const torch::Tensor& bytes) {
  return network_of(start)->features((bytes.to(torch::kFloat) / 255 - start.info.mean) /
                                     start.info.stddev);
}

torch::Tensor random_bytes(std::vector<std::int64_t> shape) {
  torch::manual_seed(3);
  return torch::randint(0, 256, shape, torch::kUInt8);
}

TEST(FaceNetwork, HasTheStagesThatTheCropsLeaveMapsFor) {
  EXPECT_EQ(face_network_config({.side = 150}).widths, (std::vector<int>{32, 64, 128, 256, 256}));
  EXPECT_EQ(face_network_config({.side = 80}).widths, (std::vector<int>{32, 64, 128, 256}));
  EXPECT_EQ(face_network_config({.side = 48}).widths, (std::vector<int>{32, 64, 128, 256}));
  EXPECT_EQ(face_network_config({.side = 16}).widths, (std::vector<int>{32, 64}));
  EXPECT_THAT(test::error_of([] { face_network_config({.side = 8}); }), HasSubstr("input_size"));
}

TEST(FaceNetwork, OfGreyCropsComputesWhatThatOfColourDoesWithEqualColours) {
  const torch::NoGradGuard no_grad;
  const PublishedFaceNetwork published = made_up_network();
  const ModelFile grey = face_network(published, {.side = 150, .channels = 1});
  const ModelFile colour = face_network(published, {.side = 150, .channels = 3});
  const torch::Tensor bytes = random_bytes({2, 1, 150, 150});
  const torch::Tensor expected = features(colour, bytes.expand({2, 3, 150, 150}));
  EXPECT_LT((features(grey, bytes) - expected).abs().max().item<float>(),
            1e-4 * expected.abs().max().item<float>());
}

TEST(FaceNetwork, OfSmallCropsSeesThemEnlargedTwofold) {
  const torch::NoGradGuard no_grad;
  const PublishedFaceNetwork published = made_up_network();
  const ModelFile small = face_network(published, {.side = 48});
  const ModelFile large = face_network(published, {.side = 96});
  const torch::Tensor bytes = random_bytes({1, 1, 48, 48});
  const torch::Tensor images =
      (bytes.to(torch::kFloat) / 255 - small.info.mean) / small.info.stddev;
  const torch::Tensor enlarged = torch::upsample_bilinear2d(images, {96, 96}, false);
  const auto stem_of = [](const ModelFile& start, const torch::Tensor& x) {
    Network network = network_of(start);
    return network->stem_bn->forward(network->stem->forward(x));
  };
  // The enlarged picture has one more row above and to the left, where its border is repeated.
  const torch::Tensor expected = stem_of(large, enlarged).slice(2, 1).slice(3, 1);
  const torch::Tensor made = stem_of(small, images);
  ASSERT_EQ(made.sizes(), expected.sizes());
  EXPECT_LT((made - expected).abs().max().item<float>(), 1e-4);
}

TEST(FaceNetwork, RefusesLayersThatDoNotFit) {
  PublishedFaceNetwork few = made_up_network();
  few.convs.resize(5);
  EXPECT_THAT(test::error_of([&] { face_network(few, {}); }), HasSubstr("found 5"));
}

TEST(DlibNetwork, RefusesAnotherFile) {
  const test::ScopedFolder folder;
  const std::string path = folder.path() / "weights.dat";
  std::ofstream(path) << "not weights";
  EXPECT_THAT(test::error_of([&] { read_dlib_network(path); }), HasSubstr(path));
}

/// FER_DLIB_NETWORK names the published file, which is not part of the project.
TEST(DlibNetwork, ComputesWhatDlibComputes) {
  const char* path = std::getenv("FER_DLIB_NETWORK");
  if (!path || !has_dlib()) {
    GTEST_SKIP() << "needs dlib, and " << kDlibFile << " named by FER_DLIB_NETWORK";
  }
  const torch::NoGradGuard no_grad;
  const PublishedFaceNetwork published = read_dlib_network(path);
  const ModelFile start = face_network(published, {.side = 150, .channels = 3});
  const torch::Tensor bytes = random_bytes({1, 3, 150, 150});
  const std::vector<float> expected = dlib_descriptor(
      path, {bytes.data_ptr<std::uint8_t>(), static_cast<std::size_t>(bytes.numel())});
  const torch::Tensor embedding =
      torch::tensor(at::ArrayRef<float>(published.embedding)).view({256, 128});
  const torch::Tensor made = torch::matmul(features(start, bytes), embedding)[0];
  EXPECT_LT((made - torch::tensor(at::ArrayRef<float>(expected))).abs().max().item<float>(), 1e-4);
}

}  // namespace
}  // namespace fer
