#include "stream/watched_faces.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <stdexcept>

#include "learn/data/batches.h"
#include "learn/data/face_ref.h"
#include "learn/run/model_network.h"
#include "learn/run/module_run.h"
#include "network/model_file.h"
#include "network/network.h"
#include "stream/count_predictions.h"
#include "stream/labelled_faces.h"
#include "stream/teacher.h"

namespace fer {
namespace {

constexpr std::size_t kChunk = 64;

}  // namespace

class WatchedFaces::Impl {
 public:
  Impl(const PackedDataset& data, const std::string& split, const std::vector<std::string>& classes,
       const ModelFile& source, std::optional<int> split_point)
      : network_(network_of(source, "the source model")), split_point_(split_point) {
    auto [rows, labels] = usable_rows(data, split, source.info, /*split_needed=*/!split.empty());
    const auto& known = source.info.labels;
    const std::vector<std::string>& asked = classes.empty() ? data.info().labels : classes;
    const std::vector<int> places = label_mapping(asked, known);
    std::vector<int> index(known.size(), -1);  // of a class of the model, among those that count
    std::vector<std::string> names;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i] < 0 && !classes.empty())
        throw std::runtime_error("class \"" + asked[i] + "\" is none that the model knows");
      if (places[i] < 0 || index[static_cast<std::size_t>(places[i])] >= 0) continue;
      index[static_cast<std::size_t>(places[i])] = static_cast<int>(names.size());
      columns_.push_back(places[i]);
      names.push_back(known[static_cast<std::size_t>(places[i])]);
    }
    confusion_ = std::make_unique<Confusion>(names);

    std::vector<std::size_t> counted;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const int label = index[static_cast<std::size_t>(labels[i])];
      if (label < 0) continue;
      counted.push_back(rows[i]);
      labels_.push_back(label);
    }
    if (counted.empty())
      throw std::runtime_error(data.name() + ": no row is of a class that counts");

    torch::NoGradGuard no_grad;
    const PixelStats stats{source.info.mean, source.info.stddev};
    for (std::size_t i = 0; i < counted.size(); i += kChunk) {
      const auto part =
          std::span(counted).subspan(i, std::min<std::size_t>(kChunk, counted.size() - i));
      torch::Tensor x =
          plain_images(data, part, stats).contiguous(torch::MemoryFormat::ChannelsLast);
      if (split_point_) x = network_->trunk(x, static_cast<std::size_t>(*split_point_));
      chunks_.push_back(x);
    }
  }

  std::size_t size() const { return labels_.size(); }

  Confusion score(const ModelFile& model, double power) {
    copy_state(with_calibration_in_head(model).weights, *network_, "the watched model");
    torch::NoGradGuard no_grad;
    const torch::Tensor columns = torch::tensor(columns_, torch::kLong);
    Confusion confusion = *confusion_;
    const torch::Tensor labels = torch::tensor(labels_, torch::kLong);
    const torch::Tensor correction = prior_correction(model.info.prior, power);
    std::int64_t row = 0;
    for (const torch::Tensor& x : chunks_) {
      const torch::Tensor logits =
          split_point_ ? network_->head_blocks(x, static_cast<std::size_t>(*split_point_))
                       : network_(x);
      count_predictions((logits + correction).index_select(1, columns),
                        labels.narrow(0, row, x.size(0)), confusion);
      row += x.size(0);
    }
    return confusion;
  }

 private:
  Network network_;
  const std::optional<int> split_point_;
  std::vector<std::int64_t> columns_;     ///< Of the model's outputs that count.
  std::vector<std::int64_t> labels_;      ///< Among those.
  std::unique_ptr<Confusion> confusion_;  ///< Empty, with their names.
  std::vector<torch::Tensor> chunks_;     ///< Images, or what the shared half makes of them.
};

WatchedFaces::WatchedFaces(const PackedDataset& data, const std::string& split,
                           const std::vector<std::string>& classes, const ModelFile& source,
                           std::optional<int> split_point)
    : impl_(std::make_unique<Impl>(data, split, classes, source, split_point)) {}

WatchedFaces::~WatchedFaces() = default;

std::size_t WatchedFaces::size() const {
  return impl_->size();
}
Confusion WatchedFaces::score(const ModelFile& model, double prior_correction) {
  return impl_->score(model, prior_correction);
}

}  // namespace fer
