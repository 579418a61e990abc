// A dataset that a tiny network learns in a second: 16 px "faces" whose expression is where the
// light falls. Classes differ from top to bottom, so that mirrored views keep their class.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "learn/data/packed_dataset.h"
#include "learn/supervised/trainer.h"
#include "util/random.h"

namespace fer::test {

constexpr int kTinySide = 16;

/// The crop of a class: a bright band in its place, on a dark and noisy ground.
inline std::vector<std::uint8_t> tiny_crop(int label, int classes, Random& random) {
  std::vector<std::uint8_t> crop;
  for (int y = 0; y < kTinySide; ++y) {
    const bool bright = y * classes / kTinySide == label;
    for (int x = 0; x < kTinySide; ++x)
      crop.push_back(static_cast<std::uint8_t>((bright ? 170 : 60) + random.uniform(-40, 40)));
  }
  return crop;
}

/// Labels of the tiny dataset: the first few of FER+'s.
inline std::vector<std::string> tiny_labels() {
  return {"neutral", "happiness", "surprise"};
}

/// `each` rows of each class in split train, a third of that in valid and in test.
inline std::vector<PackedRow> tiny_rows(int each, std::uint64_t seed = 1) {
  Random random(seed);
  const int classes = static_cast<int>(tiny_labels().size());
  std::vector<PackedRow> rows;
  for (int i = 0; i < each; ++i) {
    for (int split = 0; split < (i % 3 == 0 ? 3 : 1); ++split) {
      for (int label = 0; label < classes; ++label) {
        PackedRow row;
        row.crop = tiny_crop(label, classes, random);
        row.votes.assign(static_cast<std::size_t>(classes), 0.f);
        row.votes[static_cast<std::size_t>(label)] = 1;
        row.label = label;
        row.split = static_cast<std::uint8_t>(split);
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

inline PackedInfo tiny_info() {
  PackedInfo info;
  info.crops.channels = 1;
  info.crops.side = kTinySide;
  info.labels = tiny_labels();
  info.splits = {"train", "valid", "test"};
  info.source = "tiny";
  return info;
}

/// Settings that learn the tiny dataset in a few epochs, the same on every run.
inline TrainConfig tiny_train_config() {
  TrainConfig config;
  config.network.name = "tiny";
  config.network.input_size = kTinySide;
  config.network.stem_width = 6;
  config.network.widths = {8, 12};
  config.network.depths = {1, 1};
  config.network.strides = {2, 2};
  config.network.attention_reduction = 4;
  config.network.classes = static_cast<int>(tiny_labels().size());
  // Little of each: the place of the light is the label.
  config.augment.shift = 0.02;
  config.augment.scale = 0.03;
  config.augment.rotation = 3;
  config.augment.erase = 0.2;
  config.epochs = 4;
  config.batch = 16;
  config.ema = 0.9;
  config.bf16 = false;
  config.threads = 1;
  return config;
}

/// Trains on the tiny dataset into `out` and returns the path of the model.
inline std::filesystem::path train_tiny_model(const std::filesystem::path& out) {
  std::filesystem::create_directories(out);
  write_packed(out / "tiny.packed", tiny_info(), tiny_rows(60));
  const PackedDataset data(out / "tiny.packed");
  const std::atomic<bool> stop{false};
  train(
      data, tiny_train_config(), out, [](const TrainProgress&) {}, [](const nlohmann::json&) {},
      stop);
  return out / "last.fer";
}

}  // namespace fer::test
