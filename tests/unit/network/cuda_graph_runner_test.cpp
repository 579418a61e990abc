#include "network/cuda_graph_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <vector>

namespace fer {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kPixels = 6;

/// Sums of each crop's pixels and of their squares, as a network of two classes might give them.
torch::Tensor sums(const torch::Tensor& crops) {
  const torch::Tensor values = crops.to(torch::kFloat32).flatten(1);
  return torch::stack({values.sum(1), values.square().sum(1)}, 1);
}

/// As a device's: what is done again reads and writes the memory of the first time.
class Again final : public CudaGraph {
 public:
  Again(torch::Tensor crops, torch::Tensor logits, std::vector<std::int64_t>& sizes)
      : crops_(std::move(crops)), logits_(std::move(logits)), sizes_(sizes) {}
  void replay() override {
    sizes_.push_back(crops_.size(0));
    logits_.copy_(sums(crops_));
  }

 private:
  const torch::Tensor crops_;
  torch::Tensor logits_;
  std::vector<std::int64_t>& sizes_;
};

class Graphs : public testing::Test {
 protected:
  Graphs()
      : batches_(
            [this](const torch::Tensor& crops) {
              made_.push_back(crops.size(0));
              crops_ = crops;
              return logits_ = sums(crops);
            },
            std::vector<std::int64_t>{1, 2, 3}, torch::kCPU,
            [this](const std::function<void()>& work, const CudaGraph* beside) {
              work();
              auto again = std::make_unique<Again>(crops_, logits_, replayed_);
              EXPECT_EQ(beside, last_);
              last_ = again.get();
              return again;
            }) {}

  std::vector<float> run(const std::vector<std::uint8_t>& crops) {
    const auto n = static_cast<std::int64_t>(crops.size()) / kPixels;
    std::vector<float> logits(static_cast<std::size_t>(2 * n), -1);
    EXPECT_TRUE(batches_.run(crops.data(), n, logits.data()));
    return logits;
  }

  torch::Tensor crops_, logits_;               ///< Of the last batch that was made.
  std::vector<std::int64_t> made_, replayed_;  ///< Sizes of batches.
  const CudaGraph* last_ = nullptr;            ///< Recording.
  CudaGraphRunner batches_;
};

TEST_F(Graphs, AreRecordedOnceEachSizeHasRunTheLargestFirst) {
  EXPECT_THAT(made_, ElementsAre(256, 256, 256, 64, 64, 64, 16, 16, 16, 4, 4, 4, 1, 1, 1));
  EXPECT_THAT(replayed_, IsEmpty());
}

TEST_F(Graphs, TakeTheNextSizeThatHoldsTheBatch) {
  for (const std::size_t n : {1, 2, 4, 5, 64, 65, 256}) run(std::vector<std::uint8_t>(n * kPixels));
  EXPECT_THAT(replayed_, ElementsAre(1, 4, 4, 16, 64, 256, 256));
}

TEST_F(Graphs, LeaveLargerBatchesToTheCaller) {
  const std::vector<std::uint8_t> crops(257 * kPixels);
  std::vector<float> logits(2 * 257, -1);
  EXPECT_FALSE(batches_.run(crops.data(), 257, logits.data()));
  EXPECT_THAT(logits, Each(-1));
  EXPECT_THAT(replayed_, IsEmpty());
}

TEST_F(Graphs, FailWhereWhatIsDoneCannotBeRecorded) {
  const auto refuse = [](const std::function<void()>&,
                         const CudaGraph*) -> std::unique_ptr<CudaGraph> {
    throw std::runtime_error("not to be recorded");
  };
  EXPECT_THROW(CudaGraphRunner(sums, std::vector<std::int64_t>{1, 2, 3}, torch::kCPU, refuse),
               std::runtime_error);
}

TEST_F(Graphs, GiveTheLogitsOfTheBatchAlone) {
  std::vector<std::uint8_t> crops(3 * kPixels);
  std::iota(crops.begin(), crops.end(), std::uint8_t{1});
  const std::vector<float> expected = {21, 91, 57, 559, 93, 1459};
  EXPECT_EQ(run(crops), expected);
  // What a larger batch left behind does not show.
  run(std::vector<std::uint8_t>(4 * kPixels, 200));
  EXPECT_EQ(run(crops), expected);
}

TEST(OpenCapture, OpensWhatWasBuiltOrSaysWhyThereIsNone) {
  std::string reason;
  const bool built = std::getenv("FER_TORCH_CUDA_LIBRARY") != nullptr;  // As meson says.
  EXPECT_EQ(static_cast<bool>(open_capture(reason)), built) << reason;
  EXPECT_EQ(reason.empty(), built);
}

}  // namespace
}  // namespace fer
