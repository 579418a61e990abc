#include "learn-settings.h"

#include <chrono>

#include "element-util.h"
#include "util/without_secrets.h"

namespace fer {
namespace {

const GEnumValue kThresholdValues[] = {
    {static_cast<gint>(Thresholds::kFixed), "One confidence for all (FixMatch)", "fixed"},
    {static_cast<gint>(Thresholds::kFlex), "By how much of a class was learnt (FlexMatch)", "flex"},
    {static_cast<gint>(Thresholds::kFree), "By the model's own confidence (FreeMatch)", "free"},
    {static_cast<gint>(Thresholds::kSoft), "A weight in place of a line (SoftMatch)", "soft"},
    {static_cast<gint>(Thresholds::kAdaCm), "By the confidence on labelled faces (Ada-CM)",
     "ada-cm"},
    {static_cast<gint>(Thresholds::kDta), "By the running confidence on labelled faces", "dta"},
    {0, nullptr, nullptr}};

const GEnumValue kStageValues[] = {
    {static_cast<gint>(Stages::kPrototypes), "A head of class prototypes, no gradient steps",
     "prototypes"},
    {static_cast<gint>(Stages::kSteps), "Gradient steps alone", "steps"},
    {static_cast<gint>(Stages::kBoth), "Prototypes, and gradient steps where they are better",
     "both"},
    {0, nullptr, nullptr}};

const GEnumValue kStoreValues[] = {
    {static_cast<gint>(SampleStore::kLatents), "Activations of the frozen half, no pictures",
     "latents"},
    {static_cast<gint>(SampleStore::kCrops), "Aligned pictures of faces", "crops"},
    {static_cast<gint>(SampleStore::kNothing), "No face in any form", "nothing"},
    {0, nullptr, nullptr}};

const GEnumValue kNegativeValues[] = {
    {static_cast<gint>(Negatives::kNone), "None", "none"},
    {static_cast<gint>(Negatives::kUps), "What the model thinks hardly possible (UPS)", "ups"},
    {static_cast<gint>(Negatives::kFullMatch),
     "All but the classes that both views agree on (FullMatch)", "fullmatch"},
    {static_cast<gint>(Negatives::kLowest), "The least likely ones", "lowest"},
    {static_cast<gint>(Negatives::kArgmin), "The least likely one", "argmin"},
    {static_cast<gint>(Negatives::kSnl), "Selective: ruled out, and not learnt yet", "snl"},
    {0, nullptr, nullptr}};

GType threshold_policy_type() {
  return enum_type("FerThresholdPolicy", kThresholdValues);
}

GType stages_type() {
  return enum_type("FerLearnStages", kStageValues);
}

GType store_type() {
  return enum_type("FerSampleStore", kStoreValues);
}

GType negative_policy_type() {
  return enum_type("FerNegativePolicy", kNegativeValues);
}

/// The policy's name; with the settings that online learning gives it, where it is the default one.
std::string policy_text(const char* name, const std::string& preset) {
  return preset.starts_with(std::string(name) + ":") ? preset : name;
}

const GEnumValue kRoleValues[] = {
    {static_cast<gint>(LearnRole::kLearn), "Learns here", "learn"},
    {static_cast<gint>(LearnRole::kCollect),
     "Sends evidence to a broker, and takes up the models that come back", "collect"},
    {0, nullptr, nullptr}};

GType role_type() {
  return enum_type("FerLearnRole", kRoleValues);
}

void add_exchange(PropertyTable<LearnSettings>& properties) {
  properties.add(&LearnSettings::role, role_type(),
                 {"role", "Role",
                  "Whether the slot's learner is here, or elsewhere behind a broker (fer "
                  "learn-service)"},
                 kMutableReady);
  properties.add_secret(
      &LearnSettings::broker,
      {"broker", "Broker",
       "role=collect: mqtt[s]://[user:password@]host[:port][/topic-base] of the MQTT 5 broker; the "
       "slot's topics lie below topic-base/model-slot. Reads without user and password"},
      kMutableReady, without_secrets);
  properties.add(
      &LearnSettings::ca_file,
      {"ca-file", "CA file",
       "role=collect with mqtts://: file of certificates to trust; unset: those that the "
       "system trusts"},
      kMutableReady);
  properties.add(&LearnSettings::certificate,
                 {"cert-file", "Certificate",
                  "role=collect with mqtts://: this machine's own certificate, where the broker "
                  "asks for one"},
                 kMutableReady);
  properties.add(&LearnSettings::key,
                 {"key-file", "Key", "The key of cert-file; unset: in the same file"},
                 kMutableReady);
  properties.add(&LearnSettings::max_evidence,
                 {"max-evidence", "Most evidence",
                  "role=collect: pieces of evidence (about a second of one face) that are sent a "
                  "minute, at most; more are thinned by class and identity"},
                 1, 6000, kMutableReady);
}

}  // namespace

Learner::Settings learner_settings(const LearnSettings& settings) {
  Learner::Settings wanted;
  wanted.source_model = settings.source_model;
  wanted.replay = settings.replay;
  wanted.canary = settings.canary;
  wanted.checkpoint_dir = settings.checkpoint_dir;
  wanted.learning.threshold_policy =
      policy_text(kThresholdValues[static_cast<int>(settings.thresholds)].value_nick,
                  wanted.learning.threshold_policy);
  wanted.learning.negative_policy =
      policy_text(kNegativeValues[static_cast<int>(settings.negatives)].value_nick,
                  wanted.learning.negative_policy);
  wanted.learning.prototypes.enabled = settings.stages != Stages::kSteps;
  wanted.learning.gradient_steps = settings.stages != Stages::kPrototypes;
  wanted.learning.store = settings.store;
  wanted.learning.max_sample_age = settings.max_sample_age;
  wanted.learning.learning_rate = settings.learning_rate;
  wanted.learning.max_unsure = settings.max_unsure;
  wanted.learning.device = settings.device;
  wanted.max_cpu = settings.max_cpu;
  wanted.threads = static_cast<int>(settings.threads);
  wanted.queue = settings.max_queue;
  wanted.report_interval = std::chrono::milliseconds(settings.report_interval);
  return wanted;
}

PropertyTable<LearnSettings> learn_properties() {
  PropertyTable<LearnSettings> properties;
  properties.add(&LearnSettings::model_slot,
                 {"model-slot", "Model slot",
                  "Name of the slot whose model is adapted: that of the ferinfer elements which "
                  "serve it. All ferlearn elements with this name feed one learner; whoever starts "
                  "first settles how it learns"},
                 kMutableReady);
  properties.add(
      &LearnSettings::source_model,
      {"source-model", "Source model",
       "File of the model to begin from (.fer); unset: what the slot serves already, else "
       "what a ferinfer of the slot names, else the one that gst-fer ships"},
      kMutableReady);
  properties.add(&LearnSettings::replay,
                 {"replay", "Replay",
                  "Labelled faces that keep the model from forgetting: a packed dataset or what "
                  "fer replay made; unset: the file beside the source model, ending .replay"},
                 kMutableReady);
  properties.add(&LearnSettings::canary,
                 {"canary", "Canary",
                  "Labelled faces that judge what was learnt before it serves: a packed dataset or "
                  "what fer replay made; unset: the file beside the source model, ending .canary"},
                 kMutableReady);
  properties.add(&LearnSettings::checkpoint_dir,
                 {"checkpoint-dir", "Checkpoint folder",
                  "Folder that keeps what was learnt, from which learning goes on after a restart; "
                  "served.fer in it is the model that serves; unset: nothing is kept"},
                 kMutableReady);
  properties.add(&LearnSettings::store, store_type(),
                 {"store", "Store",
                  "What checkpoint-dir keeps of the faces that are remembered. Files are for their "
                  "owner alone"},
                 kMutableReady);
  properties.add(&LearnSettings::max_sample_age,
                 {"max-sample-age", "Largest age of samples",
                  "Seconds after which a remembered face is forgotten, on disk with the next "
                  "checkpoint; 0: never"},
                 0, G_MAXUINT, kMutableReady);
  properties.add(&LearnSettings::stages, stages_type(),
                 {"stages", "Stages", "What may adapt the model"}, kMutableReady);
  properties.add(&LearnSettings::thresholds, threshold_policy_type(),
                 {"threshold-policy", "Threshold policy", "Which pseudo-labels are trusted"},
                 kMutableReady);
  properties.add(&LearnSettings::negatives, negative_policy_type(),
                 {"negative-policy", "Negative policy",
                  "Which classes a face that is not trusted is taught not to be"},
                 kMutableReady);
  properties.add(&LearnSettings::learning_rate,
                 {"learning-rate", "Learning rate", "Size of a step of gradient descent"}, 0, 1,
                 kMutableReady);
  properties.add(
      &LearnSettings::max_unsure,
      {"max-unsure", "Largest unsure share",
       "Largest share of a stream's faces of which the source model may be unsure (as it "
       "is of one known face in twenty); beyond it nothing is learnt from the stream, "
       "which shows no faces, or none of the kind; 1: any"},
      0, 1, kMutableReady);
  properties.add(&LearnSettings::max_unsure,
                 {"most-unsure", "Most unsure", "Deprecated: it is called max-unsure now"}, 0, 1,
                 static_cast<GParamFlags>(kMutableReady | G_PARAM_DEPRECATED));
  properties.add(&LearnSettings::device,
                 {"device", "Device",
                  "Where learning is computed: cpu, cuda, cuda:N, or auto: the first CUDA device "
                  "that LibTorch can use, else the processor"},
                 kMutableReady);
  properties.add(&LearnSettings::threads,
                 {"threads", "Threads", "Threads that a step of learning is computed by"}, 1, 256,
                 kMutableReady);
  properties.add(&LearnSettings::max_cpu,
                 {kMaxCpu, "Most CPU",
                  "Share of one core that learning may take, over time; it runs at idle priority "
                  "besides"},
                 0.01, 16, kMutablePlaying);
  properties.add(
      &LearnSettings::max_queue,
      {"max-queue", "Longest queue", "Faces that wait for the learner; more push out the oldest"},
      1, 65536, kMutableReady);
  properties.add(&LearnSettings::sample_interval,
                 {"sample-interval", "Sample interval",
                  "Milliseconds between two looks at the face of one track"},
                 0, 60000, kMutablePlaying);
  properties.add(&LearnSettings::report_interval,
                 {"report-interval", "Report interval",
                  "Least milliseconds between two element messages fer-learning"},
                 10, 3600000, kMutableReady);
  properties.add(&LearnSettings::region, region_type(),
                 {"inference-region", "Inference region", "What is taken for faces"},
                 kMutablePlaying);
  properties.add(&LearnSettings::paused,
                 {kPaused, "Paused", "Learn nothing for now; what serves goes on serving"},
                 kMutablePlaying);
  add_exchange(properties);
  return properties;
}

}  // namespace fer
