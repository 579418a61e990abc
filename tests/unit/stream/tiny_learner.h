// A tiny source model, labelled faces for it, and a stream that looks different: the same faces in
// another light.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "data/tiny_dataset.h"
#include "scoped.h"
#include "stream/face_sample.h"
#include "stream/learner_config.h"

namespace fer::test {

/// Trained once a program. model() and packed() live as long as it does.
class TinySource {
 public:
  TinySource() : model_(train_tiny_model(folder_.path() / "run")) {}
  static const TinySource& get() {
    static const TinySource source;
    return source;
  }

  const std::filesystem::path& model() const { return model_; }
  /// Splits train, valid and test, 60 and 20 faces a class.
  std::filesystem::path packed() const { return folder_.path() / "run" / "tiny.packed"; }
  std::filesystem::path folder() const { return folder_.path(); }

 private:
  ScopedFolder folder_;
  std::filesystem::path model_;
};

/// A face of the stream: the tiny dataset's, with less contrast by `dim` in [0, 1].
inline FaceSample stream_face(int label, Random& random, std::int64_t track, std::int64_t time_ns,
                              double dim = 0.35, const std::string& source = "cam") {
  FaceSample face;
  face.crop = tiny_crop(label, static_cast<int>(tiny_labels().size()), random);
  for (std::uint8_t& pixel : face.crop)
    pixel = static_cast<std::uint8_t>(100 + (pixel - 100.0) * (1 - dim));
  face.source = source;
  face.track = track;
  face.time_ns = time_ns;
  face.face_size = 60;
  return face;
}

/// `n` stills, classes in turn, each of a track of its own.
inline std::vector<FaceSample> stream_faces(int n, std::uint64_t seed = 1, double dim = 0.35) {
  Random random(seed);
  std::vector<FaceSample> faces;
  for (int i = 0; i < n; ++i) {
    faces.push_back(
        stream_face(i % 3, random, i, static_cast<std::int64_t>(i) * 2'000'000'000, dim));
  }
  return faces;
}

/// Small, and quick to begin. The place of the light is the label, so that strong views mislead:
/// what is tested is what becomes of pseudo-labels, not how good they are.
inline OnlineConfig tiny_online_config() {
  OnlineConfig config;
  config.batch = 12;
  config.min_memory = 6;
  config.reuse = 50;
  config.learning_rate = 0.01;
  config.ema = 0.9;
  config.canary_interval = 10;
  config.canary_margin = 0.05;
  config.rollback_margin = 0.2;
  config.max_class_share = 0.6;
  config.frozen_blocks = 1;
  config.max_unsure = 1;  // the stream is in another light than anything that the source knows
  config.prototypes.enabled = false;  // most tests are of gradient steps
  config.store = SampleStore::kCrops;
  return config;
}

}  // namespace fer::test
