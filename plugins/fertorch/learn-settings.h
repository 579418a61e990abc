// What people ask of a ferlearn.
#pragma once

#include <gst/gst.h>

#include <string>

#include "frame-faces.h"
#include "property-table.h"
#include "stream/learner.h"

namespace fer {

/// What ferlearn does with the faces.
enum class LearnRole { kLearn, kCollect };
/// Policies by their places in the table of their properties.
enum class Thresholds { kFixed, kFlex, kFree, kSoft, kAdaCm, kDta };
enum class Stages { kPrototypes, kSteps, kBoth };
enum class Negatives { kNone, kUps, kFullMatch, kLowest, kArgmin, kSnl };

struct LearnSettings {
  std::string model_slot;
  std::string source_model;
  std::string replay;
  std::string canary;
  std::string checkpoint_dir;
  SampleStore store = OnlineConfig().store;
  guint max_sample_age = static_cast<guint>(OnlineConfig().max_sample_age);
  Stages stages = Stages::kBoth;
  Thresholds thresholds = Thresholds::kDta;
  Negatives negatives = Negatives::kSnl;
  double learning_rate = OnlineConfig().learning_rate;
  double max_unsure = OnlineConfig().max_unsure;
  std::string device = "auto";
  guint threads = 1;
  double max_cpu = Learner::Settings().max_cpu;
  guint max_queue = static_cast<guint>(Learner::Settings().queue);
  guint sample_interval = 200;  ///< Milliseconds.
  guint report_interval = 1000;
  Region region = Region::kRoiList;
  bool paused = false;
  std::string metrics_address;
  LearnRole role = LearnRole::kLearn;
  std::string broker, ca_file, certificate, key;  ///< Of a collector.
  guint max_evidence = 30;                        ///< A minute, of a collector.
};

/// Names of properties that may change while the learner runs.
inline constexpr const char* kMaxCpu = "max-cpu";
inline constexpr const char* kPaused = "paused";

PropertyTable<LearnSettings> learn_properties();

Learner::Settings learner_settings(const LearnSettings& settings);

}  // namespace fer
