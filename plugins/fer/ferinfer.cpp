#include "ferinfer.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crop-batch.h"
#include "cuda-frames.h"
#include "element-base.h"
#include "element-util.h"
#include "face-meta.h"
#include "frame-allocation.h"
#include "frame-faces.h"
#include "known-faces.h"
#include "model/pending_model_source.h"
#include "qos-tracker.h"
#include "served-model.h"
#include "video-frame.h"

GST_DEBUG_CATEGORY_STATIC(fer_infer_debug);
#define GST_CAT_DEFAULT fer_infer_debug

namespace {

/// `min-confidence` that leaves the operating points to the model.
constexpr double kOfTheModel = -1;

struct Settings {
  std::string model;
  std::string model_slot;
  std::string device = "auto";
  fer::Precision precision = fer::Precision::kAuto;
  bool reload = true;
  guint threads = 1;
  fer::Region region = fer::Region::kRoiList;
  guint inference_interval = 1;
  guint reclassify_interval = 5;
  double smoothing = 0.5;
  double prior_correction = fer::kModelsPriorCorrection;
  double min_confidence = kOfTheModel;
  bool qos = true;
  std::string metrics_address;
};

struct Stats {
  guint64 frames = 0;
  guint64 faces = 0;
  guint64 inferences = 0;
  guint64 cached = 0;
  guint64 unsure = 0;
  std::map<std::string, std::uint64_t> expressions;  ///< By label, over all frames.
  guint64 skipped = 0;
  guint64 failed = 0;
  guint64 total_age = 0;  ///< Frames, over the faces that were labelled.
  guint64 inference_frames = 0;
  GstClockTime last_inference_time = 0;
  GstClockTime total_inference_time = 0;
  std::string model_version;
  std::string engine;
  std::string precision;
  // The slot's, since the slot was made.
  guint64 batches = 0;
  guint64 swaps = 0;
  guint64 load_errors = 0;
};

/// What stop() throws away. Only the streaming thread uses it, and start() and stop(), while that
/// does not run.
struct State {
  guint64 frame = 0;
  std::optional<GstVideoInfo> info;
  fer::CudaFrames cuda;
  fer::KnownFaces known;
  fer::CropBatch crops;
};

/// The model that the settings name.
fer::ServedModel::Request request_of(const Settings& settings) {
  return {settings.model, settings.model_slot, settings.precision, settings.device,
          settings.reload};
}

void count_slot(fer::ModelSlot& slot, Stats& stats) {
  stats.batches = slot.queue().batches();
  stats.swaps = slot.swaps();
  stats.load_errors = slot.failures().count;
}

struct Impl : fer::ElementImpl<Settings, Stats> {
  fer::Locked<std::shared_ptr<fer::ModelSlot>> slot;  ///< For `stats`, while it runs.
  fer::QosTracker qos;
  fer::WarningLimiter no_record;
  fer::PendingModelSource pending;  ///< Set with `settings` locked.
  fer::ServedModel model;           ///< Used like `state`.
  State state;

  void adjust(Settings& held) {
    pending.set(held.model_slot, fer::ServedModel::source_of(request_of(held)));
  }
  Stats current_stats() {
    Stats now = stats.copy();
    if (const auto served = slot.copy()) count_slot(*served, now);
    return now;
  }
};

}  // namespace

struct _FerInfer {
  GstBaseTransform parent;
  Impl* impl;
};

G_DEFINE_FINAL_TYPE(FerInfer, fer_infer, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(ferinfer, "ferinfer", GST_RANK_NONE, FER_TYPE_INFER)

namespace {

using Base = fer::ElementBase<FerInfer>;

guint model_updated_signal = 0;

GType precision_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(fer::Precision::kAuto),
       "bf16 where the processor computes in it, else fp32", "auto"},
      {static_cast<gint>(fer::Precision::kFp32), "32-bit floating point", "fp32"},
      {static_cast<gint>(fer::Precision::kBf16),
       "16-bit brain floating point: twice as fast where the processor computes in it", "bf16"},
      {0, nullptr, nullptr}};
  return fer::enum_type("FerPrecision", values);
}

// --- The model.

/// Names the model in `stats`.
void note_model(Impl& impl, const fer::Classifier& model) {
  impl.stats.with([&](Stats& stats) {
    stats.model_version = model.info().version;
    stats.engine = model.engine();
    stats.precision = model.precision() == fer::Precision::kBf16 ? "bf16" : "fp32";
  });
}

gboolean start(GstBaseTransform* base) {
  FerInfer* self = FER_INFER(base);
  return fer::guarded(self, FALSE, [&]() -> gboolean {
    Impl& impl = *self->impl;
    const Settings settings = impl.settings.copy();
    if (!impl.model.open(GST_ELEMENT(self), request_of(settings))) return FALSE;
    const fer::Classifier& model = impl.model.model();
    GST_INFO_OBJECT(self, "model %s computed by %s", model.info().version.c_str(),
                    model.engine().c_str());
    impl.slot.with([&](auto& shared) { shared = impl.model.slot(); });
    impl.qos.reset();
    impl.no_record.reset();
    Base::start(self, {{"slot", settings.model_slot}});
    note_model(impl, model);
    return TRUE;
  });
}

gboolean stop(GstBaseTransform* base) {
  Impl& impl = *FER_INFER(base)->impl;
  Base::stop(FER_INFER(base));
  if (const auto& slot = impl.model.slot()) {
    impl.stats.with([&](Stats& stats) { count_slot(*slot, stats); });
  }
  impl.slot.with([](auto& shared) { shared.reset(); });
  impl.model.close();
  impl.state = {};
  return TRUE;
}

/// Tells the application of a model that took over.
void tell_update(FerInfer* self, const fer::Classifier& before, const fer::Classifier& now) {
  GST_INFO_OBJECT(self, "model %s follows %s", now.info().version.c_str(),
                  before.info().version.c_str());
  gst_element_post_message(
      GST_ELEMENT(self),
      gst_message_new_element(
          GST_OBJECT(self),
          gst_structure_new("fer-model-updated", "version", G_TYPE_STRING,
                            now.info().version.c_str(), "previous-version", G_TYPE_STRING,
                            before.info().version.c_str(), nullptr)));
  g_signal_emit(self, model_updated_signal, 0, now.info().version.c_str());
}

/// The model of this frame. Takes notice of what happened to the slot since the last one.
const fer::Classifier& current_model(FerInfer* self) {
  fer::ServedModel& model = self->impl->model;
  if (const auto before = model.refresh(GST_ELEMENT(self))) {
    note_model(*self->impl, model.model());
    // A file that was touched, or copied over itself, is read again and says the same.
    if (before->info().version != model.model().info().version) {
      tell_update(self, *before, model.model());
    }
  }
  return model.model();
}

// --- Events.

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  FerInfer* self = FER_INFER(base);
  State& state = self->impl->state;
  const std::optional<GstVideoInfo> before =
      std::exchange(state.info, fer::raw_video_info(self, caps));
  if (!state.info) return FALSE;
  // In pictures of the same shape tracks go on, whatever else changed.
  if (before && !fer::same_shape(*before, *state.info)) state.known.clear();
  return TRUE;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  Impl& impl = *FER_INFER(base)->impl;
  if (fer::is_discontinuity(event)) {
    impl.state.known.clear();
    impl.qos.reset();
  }
  return GST_BASE_TRANSFORM_CLASS(fer_infer_parent_class)->sink_event(base, event);
}

gboolean src_event(GstBaseTransform* base, GstEvent* event) {
  FER_INFER(base)->impl->qos.handle_event(event);
  return GST_BASE_TRANSFORM_CLASS(fer_infer_parent_class)->src_event(base, event);
}

// --- Frames.

using Chosen = std::vector<fer::FaceRecord*>;

/// The probability from which on a label of this model is to be relied on.
template <typename Info>
double operating_point(const Info& model, double min_confidence, int label_id) {
  if (min_confidence >= 0) return min_confidence;
  // Models of earlier versions of the format have none.
  if constexpr (requires { model.operating_points; }) {
    const auto label = static_cast<std::size_t>(label_id);
    if (label < model.operating_points.size())
      return static_cast<double>(model.operating_points[label]);
  }
  return 0;
}

/// What the model of the slot says of the faces.
fer::BatchQueue::Answer classify(FerInfer* self, const Settings& settings, GstBuffer* buffer,
                                 const Chosen& chosen) {
  State& state = self->impl->state;
  fer::ModelSlot& slot = *self->impl->model.slot();
  const guint threads =
      settings.threads > 0 ? settings.threads : std::max(1u, std::thread::hardware_concurrency());
  const auto model = slot.current();
  {
    const fer::MappedFrame mapped(*state.info, buffer, GST_MAP_READ,
                                  state.cuda.reader(GST_ELEMENT(self), buffer));
    if (!mapped) {
      throw std::runtime_error("the buffer does not hold the frame that its caps describe");
    }
    fer::cut_faces(mapped.view(fer::face_meta_orientation(buffer)), settings.region, chosen,
                   model->info(), state.crops);
  }
  auto answer = slot.queue().classify(state.crops.bytes(), threads);
  if (!fer::same_crops(answer.classifier->info(), model->info())) {
    // One that wants other crops took over meanwhile. These are for the one before it.
    answer = {model, model->logits(state.crops.bytes())};
  }
  return answer;
}

/// Infers the faces and sets their expressions.
void infer(FerInfer* self, const Settings& settings, GstBuffer* buffer, const Chosen& chosen) {
  Impl& impl = *self->impl;
  const fer::Stopwatch stopwatch;
  fer::BatchQueue::Answer answer = classify(self, settings, buffer, chosen);
  const fer::ModelInfo& model = answer.classifier->info();
  fer::to_probabilities(answer.logits, model, settings.prior_correction);
  if (!std::all_of(answer.logits.begin(), answer.logits.end(),
                   [](float value) { return std::isfinite(value); })) {
    throw std::runtime_error("model " + model.version + " gives numbers that are not finite");
  }
  auto row = answer.logits.begin();
  for (fer::FaceRecord* face : chosen) {
    fer::Expression fresh;
    fresh.probabilities.assign(row, row + static_cast<std::ptrdiff_t>(model.labels.size()));
    fresh.labels = model.labels;
    fresh.model_version = model.version;
    impl.state.known.learn(*face, std::move(fresh), settings.smoothing);
    row += static_cast<std::ptrdiff_t>(model.labels.size());
  }
  const GstClockTime time = stopwatch.elapsed();
  impl.stats.with([&](Stats& stats) {
    stats.inferences += chosen.size();
    ++stats.inference_frames;
    stats.last_inference_time = time;
    stats.total_inference_time += time;
  });
}

/// The faces that are to be inferred now, if this frame is one on which faces are.
Chosen choose(FerInfer* self, const Settings& settings, const fer::Classifier& model,
              GstBuffer* buffer, std::vector<fer::FaceRecord>& faces) {
  Impl& impl = *self->impl;
  const bool turn = (impl.state.frame - 1) % settings.inference_interval == 0;
  if (!turn || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) return {};
  const fer::ReclassifyRules rules{settings.reclassify_interval, model.info().version};
  Chosen chosen;
  for (fer::FaceRecord& face : faces) {
    if (impl.state.known.due(face, rules)) chosen.push_back(&face);
  }
  if (!chosen.empty() && settings.qos && impl.qos.is_late(GST_BASE_TRANSFORM(self), buffer)) {
    impl.stats.with([](Stats& stats) { ++stats.skipped; });
    return {};
  }
  return chosen;
}

void label(FerInfer* self, const Settings& settings, const fer::Classifier& model,
           GstBuffer* buffer, std::vector<fer::FaceRecord>& faces) {
  Impl& impl = *self->impl;
  // What another ferinfer upstream said stays only where this one says nothing.
  Chosen chosen = choose(self, settings, model, buffer, faces);
  if (!chosen.empty()) {
    try {
      infer(self, settings, buffer, chosen);
    } catch (const std::exception& error) {
      chosen.clear();
      impl.stats.with([](Stats& stats) { ++stats.failed; });
      fer::warn_limited(
          GST_ELEMENT(self), impl.fault,
          "The faces of a frame were not labelled: " + std::string(error.what()) + ".");
    }
  }
  guint64 recalled = 0, age = 0;
  for (fer::FaceRecord& face : faces) {
    const bool inferred = std::find(chosen.begin(), chosen.end(), &face) != chosen.end();
    if (inferred || !impl.state.known.recall(face)) continue;
    ++recalled;
    age += face.expression->age;
  }
  guint64 unsure = 0;
  std::map<std::string, std::uint64_t> expressions;
  for (fer::FaceRecord& face : faces) {
    if (!face.expression) continue;
    fer::Expression& expression = *face.expression;
    // Another element's expression may count other classes.
    const bool own = expression.labels == model.info().labels;
    const double point =
        own ? operating_point(model.info(), settings.min_confidence, expression.label_id)
            : std::max(0.0, settings.min_confidence);
    expression.unsure = !face.clear || expression.confidence() < point;
    if (expression.unsure) ++unsure;
    ++expressions[fer::counted_as(expression)];
  }
  impl.stats.with([&](Stats& stats) {
    stats.faces += faces.size();
    stats.unsure += unsure;
    for (const auto& [label, count] : expressions) stats.expressions[label] += count;
    stats.cached += recalled;
    stats.total_age += age;
  });
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  FerInfer* self = FER_INFER(base);
  return fer::guarded(self, GST_FLOW_ERROR, [&] {
    Impl& impl = *self->impl;
    fer::sync_properties(base, buffer);
    const Settings settings = impl.settings.copy();
    const fer::Classifier& model = current_model(self);
    ++impl.state.frame;
    impl.state.known.next_frame();
    auto faces = fer::faces_of_frame(GST_ELEMENT(self), settings.region, buffer, *impl.state.info,
                                     impl.no_record);
    if (faces) {
      label(self, settings, model, buffer, *faces);
      fer::face_meta_write(buffer, *impl.state.info, *faces);
    }
    impl.stats.with([](Stats& stats) { ++stats.frames; });
    GST_LOG_OBJECT(self, "%zu faces on %" GST_PTR_FORMAT, faces ? faces->size() : 0, buffer);
    return GST_FLOW_OK;
  });
}

fer::PropertyTable<Settings> properties() {
  fer::PropertyTable<Settings> properties;
  properties.add(
      &Settings::model,
      {"model", "Model",
       "File of the expression model (.fer), or an ONNX network (.onnx) with its description "
       "beside it (.json); unset: the one that gst-fer ships"},
      fer::kMutableReady);
  properties.add(&Settings::model_slot,
                 {"model-slot", "Model slot",
                  "Name of a model that all elements with this name in the process share, and its "
                  "batches; whoever starts first loads it, with its own model, device and "
                  "precision; unset: a model of one's own"},
                 fer::kMutableReady);
  properties.add(&Settings::device,
                 {"device", "Device",
                  "Where the model is computed: cpu, cuda, cuda:N, or auto: the first CUDA device "
                  "that LibTorch can use, else the processor"},
                 fer::kMutableReady);
  properties.add(&Settings::precision, precision_type(),
                 {"precision", "Precision", "Arithmetic of the convolutions"}, fer::kMutableReady);
  properties.add(&Settings::reload,
                 {"reload", "Reload",
                  "Load the model's file anew when it is replaced, while the stream goes on; a "
                  "broken one is refused. Ends where another element puts a model into the slot"},
                 fer::kMutableReady);
  properties.add(&Settings::threads,
                 {"threads", "Threads",
                  "Threads over which the faces of a batch are spread (0 = one a core); one face "
                  "runs on one thread"},
                 0, 256, fer::kMutablePlaying);
  properties.add(&Settings::region, fer::region_type(),
                 {"inference-region", "Inference region", "What is taken for faces"},
                 fer::kMutablePlaying);
  properties.add(&Settings::inference_interval,
                 {"inference-interval", "Inference interval",
                  "Infer on each n-th frame only; between, faces that are followed keep what was "
                  "last said of them"},
                 1, 10000, fer::kControllable);
  properties.add(&Settings::reclassify_interval,
                 {"reclassify-interval", "Reclassify interval",
                  "Infer a face that is followed every n frames (0 = once), and when its box grew "
                  "by a quarter; a face without a track id is always inferred"},
                 0, 10000, fer::kControllable);
  properties.add(&Settings::smoothing,
                 {"smoothing", "Smoothing",
                  "Weight of what was said of a track before in what is said of it now (0 = off)"},
                 0, 0.99, fer::kControllable);
  properties.add(&Settings::prior_correction,
                 {"prior-correction", "Prior correction",
                  "How far the training data's mix of expressions is divided out of the "
                  "probabilities: 0 assumes that mix here too, 1 assumes all expressions as "
                  "frequent; below 0, as the model's file says"},
                 fer::kModelsPriorCorrection, 1, fer::kControllable);
  properties.add(
      &Settings::min_confidence,
      {"min-confidence", "Least confidence",
       "Mark a label unsure where its probability is lower: in the metadata, in records "
       "and on the overlay (0 = none; -1 = the operating points in the model's file, one "
       "a label, where it has any)"},
      kOfTheModel, 1, fer::kControllable);
  // In place of the base class's, which would drop late frames altogether.
  properties.add(&Settings::qos,
                 {"qos", "QoS",
                  "On frames that come too late downstream, keep what was last said of the faces "
                  "in place of inferring them"},
                 fer::kMutablePlaying);
  return properties;
}

/// Faces that were given an expression.
guint64 labelled(const Stats& stats) {
  return stats.inferences + stats.cached;
}

fer::StatsTable<Stats> statistics() {
  fer::StatsTable<Stats> stats("fer-infer-stats");
  stats.text(&Stats::model_version, "model-version", "Version of the model that serves");
  stats.text(&Stats::engine, "engine", "The library that computes the model");
  stats.text(&Stats::precision, "precision", "Arithmetic of the model");
  stats.info("fer_infer_model_info", "The model that serves; always 1", [](const Stats& now) {
    return fer::MetricLabels{
        {"version", now.model_version}, {"engine", now.engine}, {"precision", now.precision}};
  });
  stats.counter(&Stats::frames, {"frames", "fer_infer_frames_total", "Frames that passed", {}});
  stats.counter(&Stats::faces, {"faces", "fer_infer_faces_total", "Faces, over all frames", {}});
  stats.counter(&Stats::inferences,
                {"inferences", "fer_infer_inferences_total", "Faces that were inferred", {}});
  stats.counter(
      &Stats::cached,
      {"cached", "fer_infer_cached_total", "Faces that kept their track's last expression", {}});
  stats.counter(&Stats::unsure,
                {"unsure", "fer_infer_unsure_total", "Faces whose label is marked unsure", {}});
  stats.counts_by_name(&Stats::expressions, "expression",
                       {"expressions",
                        "fer_infer_expressions_total",
                        "Faces with the expression, over all frames; unsure where it is so marked",
                        {}});
  stats.counter(
      &Stats::skipped,
      {"skipped", "fer_infer_skipped_total", "Frames not inferred because they were late", {}});
  stats.counter(&Stats::failed,
                {"failed", "fer_infer_failed_total", "Frames whose inference failed", {}});
  stats.mean_time(&Stats::total_inference_time, &Stats::inference_frames,
                  {"average-inference-time",
                   "fer_infer_run_seconds",
                   "Time to infer the faces of a frame, waiting for the batch included",
                   {}});
  stats.last_time(&Stats::last_inference_time,
                  {"last-inference-time",
                   "fer_infer_last_run_seconds",
                   "Time to infer the faces of the last frame with any",
                   {}});
  stats.mean(&Stats::total_age, labelled,
             {"average-age",
              "fer_infer_result_age_frames",
              "Age of the faces' expressions, in frames since their inference",
              {}});
  stats.counter(&Stats::batches,
                {"batches",
                 "fer_infer_batches_total",
                 "Batches of the slot since it was made, all its elements together",
                 {}});
  stats.counter(
      &Stats::swaps,
      {"swaps", "fer_infer_swaps_total", "Models of the slot that followed the first", {}});
  stats.counter(&Stats::load_errors, {"load-errors",
                                      "fer_infer_load_errors_total",
                                      "Reloads of the slot's model that failed",
                                      {}});
  return stats;
}

}  // namespace

static void fer_infer_class_init(FerInferClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_infer_debug, "ferinfer", 0, "Says what faces express");
  Base::install(klass, properties(), statistics());

  /**
   * FerInfer::model-updated:
   * @self: the element
   * @version: the version of the model that serves from here on
   *
   * Emitted on the streaming thread, between two frames, when another model took over: its file was
   * replaced, or another element put one into the slot. An element message `fer-model-updated`
   * tells the same.
   */
  model_updated_signal = g_signal_new("model-updated", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST,
                                      0, nullptr, nullptr, nullptr, G_TYPE_NONE, 1, G_TYPE_STRING);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Facial expression recogniser", "Filter/Analyzer/Video",
      "Says what the faces in a frame's metadata express, and writes it there", "gst-fer");
  fer::add_video_pads(element_class);

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = start;
  base_class->stop = stop;
  base_class->set_caps = set_caps;
  base_class->sink_event = sink_event;
  base_class->src_event = src_event;
  base_class->propose_allocation = fer::propose_allocation;
  base_class->transform_ip = transform_ip;
}

static void fer_infer_init(FerInfer* self) {
  Base::init(self);
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}
