#include "learn/run/restore_batch_norm.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <numeric>

#include "learn/data/packed_dataset.h"
#include "model/network_layout.h"
#include "network/model_file.h"
#include "scoped.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

using test::RandomModel;

class RestoredNetwork : public testing::TestWithParam<const char*> {
 protected:
  RestoredNetwork() {
    PackedInfo info;
    info.crops.side = 48;
    info.labels = {"neutral", "happiness"};
    info.splits = {"train"};
    std::vector<PackedRow> rows;
    for (unsigned i = 0; i < 16; ++i) {
      PackedRow row;
      row.crop = test::random_bytes(48 * 48, i + 1);
      row.votes = {1, 0};
      row.label = 0;
      rows.push_back(row);
    }
    write_packed(folder_.path() / "faces.packed", info, rows);
  }

  /// The model's weights but for the head, restored by all the faces.
  ModelFile restored(RandomModel& model) const {
    ModelFile start = model.file();
    std::erase_if(start.weights, [](const auto& item) { return is_of_head(item.first); });
    const PackedDataset data(folder_.path() / "faces.packed");
    restore_batch_norm(start, data, data.rows("train"));
    return start;
  }

  const test::ScopedFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(All, RestoredNetwork, testing::Values("fernet", "facenet"));

TEST_P(RestoredNetwork, ComputesWhatItComputedBefore) {
  RandomModel before(network_preset(GetParam())), after(network_preset(GetParam()));
  const ModelFile start = restored(after);
  for (const auto& [name, tensor] : start.weights) after.file().weights.at(name) = tensor;
  const auto crops = test::random_bytes(3 * 48 * 48, 99);
  const std::vector<float> expected = before.plain_logits(crops), found = after.plain_logits(crops);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 2e-3) << i;
}

TEST_P(RestoredNetwork, NormalisesByWhatReachesIt) {
  RandomModel model(network_preset(GetParam()));
  const ModelFile start = restored(model);
  const PackedDataset data(folder_.path() / "faces.packed");
  std::vector<torch::Tensor> images;
  for (const std::size_t row : data.rows("train")) {
    const auto crop = data.crop(row);
    images.push_back(
        torch::from_blob(const_cast<std::uint8_t*>(crop.data()), {1, 1, 48, 48}, torch::kUInt8)
            .to(torch::kFloat));
  }
  const torch::Tensor x = (torch::cat(images) / 255 - start.info.mean) / start.info.stddev;
  const bool padded = start.info.network.downsampling == Downsampling::kProjection;
  const auto kernel = start.info.network.stem_kernel;
  const torch::Tensor y =
      torch::conv2d(x, start.weights.at("stem.weight"), {}, 1, padded ? kernel / 2 : 0);
  const torch::Tensor mean = start.weights.at("stem_bn.running_mean");
  const torch::Tensor variance = start.weights.at("stem_bn.running_var");
  EXPECT_TRUE(torch::allclose(mean, y.mean({0, 2, 3}), 1e-3, 1e-4));
  EXPECT_TRUE(torch::allclose(variance, y.var(torch::IntArrayRef{0, 2, 3}), 1e-3, 1e-4));
}

}  // namespace
}  // namespace fer
