#include "learn/detection/detection_batches.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

namespace fer {
namespace {

constexpr double kTempting = 3;

}  // namespace

PhotoSampler::PhotoSampler(const DetectionDataset& data, std::vector<std::size_t> photos,
                           double balance, double negatives)
    : photos_(std::move(photos)) {
  const auto has_face = [&](std::size_t photo) {
    const auto faces = data.faces(photo);
    return std::any_of(faces.begin(), faces.end(), [](const SceneFace& face) { return face.sure; });
  };
  std::map<std::string, double> sizes;
  for (const std::size_t photo : photos_)
    if (has_face(photo)) ++sizes[data.source(photo)];
  if (sizes.empty()) throw std::runtime_error("no photo in the split has a face that is sure");
  std::vector<double> weights;
  double with = 0, without = 0;
  for (const std::size_t photo : photos_) {
    const bool face = has_face(photo);
    weights.push_back(face                   ? std::pow(sizes[data.source(photo)], -balance)
                      : data.tempting(photo) ? kTempting
                                             : 1.0);
    (face ? with : without) += weights.back();
  }
  const double share = without > 0 ? negatives : 0;
  double sum = 0;
  for (std::size_t i = 0; i < photos_.size(); ++i) {
    sum += has_face(photos_[i]) ? weights[i] / with * (1 - share) : weights[i] / without * share;
    cumulated_.push_back(sum);
  }
}

std::size_t PhotoSampler::draw(Random& random) const {
  const auto found =
      std::upper_bound(cumulated_.begin(), cumulated_.end(), random.uniform(0, cumulated_.back()));
  return photos_[static_cast<std::size_t>(std::min<std::ptrdiff_t>(
      found - cumulated_.begin(), static_cast<std::ptrdiff_t>(photos_.size()) - 1))];
}

DetectionBatches::DetectionBatches(const DetectionDataset& data, const PhotoSampler& sampler,
                                   const Settings& settings, int epoch)
    : data_(data), sampler_(sampler), settings_(settings), epoch_(epoch) {
  start();
}

DetectionBatches::~DetectionBatches() {
  for (auto& work : work_)
    if (work.valid()) work.wait();
}

void DetectionBatches::start() {
  if (started_ >= settings_.steps) return;
  const auto n = static_cast<std::int64_t>(settings_.batch);
  const auto cells = static_cast<std::int64_t>(cell_count(settings_.side, settings_.side));
  next_ = {torch::empty({n, 1, settings_.side, settings_.side}, settings_.memory),
           torch::empty({n, cells, kTargetValues}, settings_.memory)};
  const int workers = std::clamp(settings_.workers, 1, settings_.batch);
  for (int w = 0; w < workers; ++w) {
    const int first = settings_.batch * w / workers, end = settings_.batch * (w + 1) / workers;
    work_.push_back(std::async(std::launch::async, [this, batch = next_, step = started_, first,
                                                    end] { fill(batch, step, first, end); }));
  }
  ++started_;
}

std::optional<DetectionBatch> DetectionBatches::next() {
  if (work_.empty()) return std::nullopt;
  for (auto& work : work_) work.get();
  work_.clear();
  DetectionBatch batch = std::move(next_);
  start();
  return batch;
}

void DetectionBatches::fill(const DetectionBatch& batch, int step, int first, int end) const {
  const auto side = static_cast<std::size_t>(settings_.side);
  const std::size_t pixels = side * side;
  const std::size_t numbers =
      cell_count(settings_.side, settings_.side) * static_cast<std::size_t>(kTargetValues);
  for (int i = first; i < end; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::uint64_t place =
        static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(settings_.batch) +
        static_cast<std::uint64_t>(i);
    Random random(settings_.seed, static_cast<std::uint64_t>(epoch_), place);
    ViewPhotos photos;
    photos.count = random.chance(settings_.augment.mosaic) ? 4 : 1;
    for (int k = 0; k < photos.count; ++k)
      photos.photo[static_cast<std::size_t>(k)] = sampler_.draw(random);
    const std::vector<ViewFace> faces =
        make_view(data_, photos, settings_.side, settings_.augment, random,
                  {batch.images.data_ptr<float>() + at * pixels, pixels});
    make_targets(faces, settings_.side, settings_.side, settings_.targets,
                 {batch.targets.data_ptr<float>() + at * numbers, numbers});
  }
}

}  // namespace fer
