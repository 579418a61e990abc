#include "learn/detection/detection_trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <thread>

#include "learn/detection/detection_batches.h"
#include "learn/detection/detection_loss.h"
#include "learn/device/autocast.h"
#include "learn/device/compute_device.h"
#include "learn/optim/adamw.h"
#include "learn/run/restore_batch_norm.h"
#include "learn/run/training_loop.h"
#include "network/detector_file.h"
#include "network/detector_net.h"
#include "network/torch_seed.h"
#include "vision/detection_grid.h"

namespace fer {
namespace {

using nlohmann::json;

/// Faces below this score are not counted.
constexpr float kMinScore = 0.05f;

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("training a detector: " + what);
}

int thread_count(int threads) {
  return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// A whole photo as the network's input, padded with black at the right and below to a multiple of
/// the largest stride.
torch::Tensor whole_photo(const DetectionDataset& data, std::size_t photo) {
  const int width = data.width(photo), height = data.height(photo);
  const torch::Tensor input =
      torch::zeros({1, 1, padded_side(height, kLargestStride, kLargestStride),
                    padded_side(width, kLargestStride, kLargestStride)});
  const torch::Tensor pixels = torch::from_blob(
      const_cast<std::uint8_t*>(data.pixels(photo).data()), {height, width}, torch::kUInt8);
  input[0][0].slice(0, 0, height).slice(1, 0, width).copy_(pixels);
  return input;
}

torch::Device device_of(const DetectorNet& network) {
  return network->stem->weight.device();
}

std::vector<FoundFace> find_faces(DetectorNet& network, const torch::Tensor& input) {
  std::vector<GridCandidate> guesses;
  const std::vector<torch::Tensor> maps = network(input.to(device_of(network)));
  for (std::size_t level = 0; level < maps.size(); ++level) {
    const torch::Tensor map = maps[level].to(torch::kCPU).contiguous();
    decode_cells(map.data_ptr<float>(), static_cast<int>(map.size(2)),
                 static_cast<int>(map.size(3)), kCellStrides[level], kMinScore, guesses);
  }
  std::vector<FoundFace> faces;
  for (const GridCandidate& cell : best_candidates(guesses)) {
    faces.push_back({cell.x, cell.y, cell.width, cell.height, cell.score, true, cell.points});
  }
  return faces;
}

DetectionScore score_photos(DetectorNet& network, const DetectionDataset& data,
                            const std::vector<std::size_t>& photos, double min_height, bool bf16) {
  torch::NoGradGuard no_grad;
  DetectionScore score(min_height);
  for (const std::size_t photo : photos) {
    const torch::Tensor input = whole_photo(data, photo);
    Bf16Scope scope(bf16, device_of(network));
    std::vector<FoundFace> found = find_faces(network, input);
    const auto width = static_cast<float>(data.width(photo));
    const auto height = static_cast<float>(data.height(photo));
    for (FoundFace& face : found) {  // Clipped to the frame, as detectors report them.
      const float right = std::min(width, face.x + face.width);
      const float bottom = std::min(height, face.y + face.height);
      face.x = std::max(0.f, face.x);
      face.y = std::max(0.f, face.y);
      face.width = right - face.x;
      face.height = bottom - face.y;
    }
    std::erase_if(found, [](const FoundFace& f) { return f.width <= 0 || f.height <= 0; });
    score.add(data.faces(photo), std::move(found));
  }
  return score;
}

/// Sums of an epoch's losses, kept as tensors so that no step waits for the device.
struct LossSums {
  torch::Tensor sums;
  int steps = 0;

  void add(const DetectionLoss& loss) {
    const torch::Tensor step =
        torch::stack({loss.total, loss.score, loss.box, loss.points, loss.iou}).detach();
    sums = sums.defined() ? sums + step : step;
    ++steps;
  }
  double mean(int i) const { return sums[i].item<double>() / std::max(1, steps); }
};

/// The run's task: see train_detector().
class DetectorTraining : public TrainingTask {
 public:
  DetectorTraining(const DetectionDataset& data, const DetectionTrainConfig& config,
                   const std::filesystem::path& out)
      : data_(data),
        config_(config),
        photos_(data.photos("train")),
        valid_(data.photos("valid")),
        sampler_(data, photos_, config.balance, config.negatives),
        device_(compute_device(config.device)),
        network_(started(config, device_, data, sampler_)),
        average_(seeded(config, device_)),
        run_(network_.ptr(), average_.ptr(), config.ema, out),
        optimiser_(*network_, config.weight_decay) {
    const bool watched = std::any_of(valid_.begin(), valid_.end(), [&](std::size_t photo) {
      const auto faces = data.faces(photo);
      return std::any_of(faces.begin(), faces.end(),
                         [](const SceneFace& f) { return f.sure && f.height >= kWatchedFace; });
    });
    require(watched, "split valid has no sure face of " + std::to_string(int(kWatchedFace)) +
                         " pixels or more to select by");
    const int views = config.views > 0 ? config.views : static_cast<int>(photos_.size());
    steps_ = std::max(1, views / config.batch);
    json identity = config;
    identity.erase("threads");
    identity.erase("device");
    ModuleRun::Tensors kept;
    for (const auto& [name, tensor] : optimiser_.state) kept["adamw." + name] = tensor;
    run_.resume(identity, kept);
  }

  TrainResult go(const TrainingHooks& hooks, const std::atomic<bool>& stop) {
    return run_training_loop(run_, *this,
                             {.epochs = config_.epochs,
                              .images_per_step = config_.batch,
                              .seed = config_.seed,
                              .score = "average_precision"},
                             hooks, stop);
  }

  int begin_epoch(int epoch) override {
    batches_ = std::make_unique<DetectionBatches>(
        data_, sampler_, views(config_, device_, config_.batch, steps_), epoch);
    losses_ = {};
    network_->train();
    return steps_;
  }

  void step(int step) override {
    const DetectionBatch batch = *batches_->next();
    std::vector<torch::Tensor> maps;
    {
      Bf16Scope bf16(config_.bf16, device_);
      const torch::Tensor images = batch.images.to(device_, /*non_blocking=*/true);
      maps = network_(images.contiguous(torch::MemoryFormat::ChannelsLast));
    }
    const DetectionLoss loss =
        detection_loss(maps, batch.targets.to(device_, /*non_blocking=*/true),
                       {1, config_.box_weight, config_.points_weight});
    loss.total.backward();
    optimiser_.step(rate(step));
    run_.step();
    losses_.add(loss);
  }

  double mean_loss(int) override { return losses_.mean(0); }

  json validate(int, double) override {
    batches_.reset();
    const DetectionScore score = score_photos(average_, data_, valid_, kWatchedFace, config_.bf16);
    const double operating = score.best_score();
    return {{"loss", losses_.mean(0)},
            {"loss_score", losses_.mean(1)},
            {"loss_box", losses_.mean(2)},
            {"loss_points", losses_.mean(3)},
            {"iou", losses_.mean(4)},
            {"average_precision", score.average_precision()},
            {"recall", score.recall(score.score_at(kWatchedFalseAlarms))},
            {"operating_score", operating},
            {"operating_recall", score.recall(operating)},
            {"operating_precision", score.precision(operating)},
            {"operating_false_alarms", score.false_alarms(operating)},
            {"points_error", number_or_null(score.points_error(operating))},
            {"learning_rate", rate(0)}};
  }

  void save(const std::filesystem::path& path, const json& entry) const override {
    DetectorFile file;
    file.info.network = config_.network;
    file.info.operating_score = std::clamp(entry["operating_score"].get<double>(), 0.05, 0.95);
    file.info.provenance = {{"train", config_}, {"data", data_.info().source}, {"valid", entry}};
    file.weights = state_in_memory(*average_);
    write_detector(path, file);
  }

 private:
  /// Views whose statistics batch norm starts from, where weights are given.
  static constexpr int kFirstViews = 64;

  static DetectionBatches::Settings views(const DetectionTrainConfig& config, torch::Device device,
                                          int batch, int steps) {
    return {.augment = config.augment,
            .targets = config.targets,
            .side = config.side,
            .batch = batch,
            .steps = steps,
            .workers = thread_count(config.threads),
            .seed = config.seed,
            .memory = host_memory(device)};
  }

  /// The network that training starts from.
  static DetectorNet started(const DetectionTrainConfig& config, torch::Device device,
                             const DetectionDataset& data, const PhotoSampler& sampler) {
    DetectorNet network = seeded(config, device);
    if (!config.init) return network;
    copy_state(config.init->weights, *network, "the detector to start from");
    DetectionBatches batches(data, sampler, views(config, device, kFirstViews, 1), 0);
    const torch::Tensor images = batches.next()->images.to(device);
    network->eval();
    std::vector<torch::nn::BatchNorm2d> norms = network->norms();
    restore_batch_norms(norms, [&] { network(images); });
    return network;
  }

  /// A network with weights drawn by the seed.
  static DetectorNet seeded(const DetectionTrainConfig& config, torch::Device device) {
    seed_torch(config.seed);
    DetectorNet network(config.network);
    network->to(device);
    return network;
  }

  static json number_or_null(double value) { return std::isfinite(value) ? json(value) : json(); }

  double rate(int step) const {
    return config_.learning_rate * warm_cosine(run_.epoch + static_cast<double>(step) / steps_,
                                               1.0 / steps_, std::min(2.0, config_.epochs / 10.0),
                                               config_.epochs);
  }

  const DetectionDataset& data_;
  const DetectionTrainConfig config_;
  const std::vector<std::size_t> photos_, valid_;
  const PhotoSampler sampler_;
  const torch::Device device_;
  DetectorNet network_, average_;
  ModuleRun run_;
  AdamW optimiser_;
  int steps_ = 0;                              ///< Per epoch.
  std::unique_ptr<DetectionBatches> batches_;  ///< Of the current epoch.
  LossSums losses_;                            ///< Of the current epoch.
};

}  // namespace

void DetectionTrainConfig::check() const {
  network.check();
  require(!init || init->info.network == network,
          "the detector to start from has another network than the one to be trained");
  require(epochs >= 1, "epochs must be 1 or more");
  require(views >= 0, "views must be 0 or more");
  require(batch >= 1 && batch <= 4096, "batch must be in [1, 4096]");
  require(side >= 64 && side <= 2048 && side % kLargestStride == 0,
          "side must be a multiple of 32 in [64, 2048]");
  require(learning_rate > 0, "learning_rate must be above 0");
  require(weight_decay >= 0 && weight_decay < 1, "weight_decay must be in [0, 1)");
  require(ema >= 0 && ema < 1, "ema must be in [0, 1)");
  require(balance >= 0 && balance <= 1, "balance must be in [0, 1]");
  require(negatives >= 0 && negatives < 1, "negatives must be in [0, 1)");
  require(augment.turned >= 0 && augment.turned <= 1, "turned must be in [0, 1]");
  require(augment.min_face >= 4, "least_face must be 4 or more");
}

void to_json(json& j, const DetectionTrainConfig& c) {
  const DetectionAugmentConfig& a = c.augment;
  j = {{"network", c.network},
       {"init", c.init ? json(c.init->info.version) : json()},
       {"augment",
        {{"least_face", a.min_face},
         {"largest_face", a.largest_face},
         {"largest_zoom", a.largest_zoom},
         {"mosaic", a.mosaic},
         {"flip", a.flip},
         {"rotation", a.rotation},
         {"turned", a.turned},
         {"stretch", a.stretch},
         {"gamma", a.gamma},
         {"contrast", a.contrast},
         {"dark", a.dark},
         {"darkest", a.darkest},
         {"brightness", a.brightness},
         {"gradient", a.gradient},
         {"blur", a.blur},
         {"noise", a.noise},
         {"compression", a.compression},
         {"erase", a.erase}}},
       {"targets",
        {{"sizes", c.targets.sizes},
         {"least_face", c.targets.min_face},
         {"middle", c.targets.middle},
         {"reach", c.targets.reach}}},
       {"epochs", c.epochs},
       {"views", c.views},
       {"batch", c.batch},
       {"side", c.side},
       {"learning_rate", c.learning_rate},
       {"weight_decay", c.weight_decay},
       {"ema", c.ema},
       {"box_weight", c.box_weight},
       {"points_weight", c.points_weight},
       {"balance", c.balance},
       {"negatives", c.negatives},
       {"bf16", c.bf16},
       {"device", c.device},
       {"threads", c.threads},
       {"seed", c.seed}};
}

void from_json(const json& entry, DetectorEpoch& epoch) {
  entry.at("epoch").get_to(epoch.epoch);
  entry.at("loss").get_to(epoch.loss);
  entry.at("iou").get_to(epoch.iou);
  entry.at("average_precision").get_to(epoch.average_precision);
  entry.at("recall").get_to(epoch.recall);
}

TrainResult train_detector(const DetectionDataset& data, const DetectionTrainConfig& config,
                           const std::filesystem::path& out,
                           const std::function<void(const TrainProgress&)>& on_progress,
                           const std::function<void(const json&)>& on_epoch,
                           const std::atomic<bool>& stop) {
  config.check();
  prepare_process(config.threads);
  return DetectorTraining(data, config, out).go({on_progress, on_epoch}, stop);
}

DetectionScore score_detector(const std::filesystem::path& weights, const DetectionDataset& data,
                              const std::vector<std::size_t>& photos, double min_height) {
  const DetectorFile file = read_detector(weights);
  DetectorNet network(file.info.network);
  copy_state(file.weights, *network, weights.string());
  network->eval();
  return score_photos(network, data, photos, min_height, /*bf16=*/false);
}

}  // namespace fer
