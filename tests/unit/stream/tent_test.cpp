#include "stream/tent.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "learn/run/module_run.h"
#include "network/model_file.h"
#include "network/network.h"
#include "tiny_learner.h"

namespace fer {
namespace {

using test::stream_faces;
using test::TinySource;

class TentTest : public testing::Test {
 protected:
  TentTest() : source_(read_model(TinySource::get().model())) { at::set_num_threads(1); }

  /// Mean entropy of a model's predictions on the faces, in nats.
  static double entropy(const ModelFile& model, const std::vector<FaceSample>& faces) {
    Network network(model.info.network);
    copy_state(model.weights, *network, "test");
    network->eval();
    torch::NoGradGuard no_grad;
    double sum = 0;
    for (const FaceSample& face : faces) {
      const torch::Tensor x = torch::tensor(face.crop).to(torch::kFloat).view({1, 1, 16, 16}) / 255;
      const auto p =
          torch::softmax(network((x - model.info.mean) / model.info.stddev), 1).clamp_min(1e-9);
      sum -= (p * p.log()).sum().item<double>();
    }
    return sum / static_cast<double>(faces.size());
  }

  const ModelFile source_;
};

TEST_F(TentTest, LowersTheEntropyOfWhatItSees) {
  const auto faces = stream_faces(240, 1, /*dim=*/0.7);
  Tent tent(source_, {.batch = 24, .learning_rate = 0.01});
  for (int round = 0; round < 5; ++round) tent.observe(faces);
  EXPECT_EQ(tent.steps(), 50u);
  const ModelFile adapted = tent.adapted();
  EXPECT_LT(entropy(adapted, faces), 0.7 * entropy(source_, faces));
  EXPECT_EQ(adapted.info.parent, source_.info.version);
  EXPECT_NE(adapted.info.version, source_.info.version);
}

TEST_F(TentTest, ChangesNormalisationAlone) {
  Tent tent(source_, {.batch = 24, .learning_rate = 0.01});
  tent.observe(stream_faces(48));
  const ModelFile adapted = tent.adapted();
  ASSERT_EQ(adapted.weights.size(), source_.weights.size());
  for (const auto& [name, tensor] : adapted.weights) {
    const bool norm = name.find("bn") != std::string::npos;
    EXPECT_EQ(torch::equal(tensor, source_.weights.at(name)), !norm) << name;
  }
}

TEST_F(TentTest, WaitsForAWholeBatch) {
  Tent tent(source_, {.batch = 24});
  tent.observe(stream_faces(20));
  EXPECT_EQ(tent.steps(), 0u);
  EXPECT_EQ(tent.adapted().info.version, source_.info.version);
  tent.observe(stream_faces(4));
  EXPECT_EQ(tent.steps(), 1u);
  std::vector<FaceSample> wrong = stream_faces(1);
  wrong[0].crop.pop_back();
  EXPECT_THROW(tent.observe(wrong), std::invalid_argument);
}

}  // namespace
}  // namespace fer
