#include "ferinfer.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crop-batch.h"
#include "cuda-frames.h"
#include "element-metrics.h"
#include "element-util.h"
#include "face-meta.h"
#include "frame-allocation.h"
#include "frame-faces.h"
#include "known-faces.h"
#include "lateness.h"
#include "pending-model-source.h"
#include "property-table.h"
#include "served-model.h"
#include "video-frame.h"

GST_DEBUG_CATEGORY_STATIC(fer_infer_debug);
#define GST_CAT_DEFAULT fer_infer_debug

namespace {

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
  bool qos = true;
  std::string metrics_address;
};

struct Stats {
  guint64 frames = 0;
  guint64 faces = 0;
  guint64 inferences = 0;
  guint64 cached = 0;
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
struct Stream {
  guint64 frame = 0;
  std::optional<GstVideoInfo> info;
  fer::CudaFrames cuda;
  fer::KnownFaces known;
  fer::CropBatch crops;
};

struct Parts {
  fer::Locked<Settings> settings;
  fer::Locked<Stats> stats;
  fer::Locked<std::shared_ptr<fer::ModelSlot>> slot;  ///< For `stats`, while it runs.
  fer::Lateness lateness;
  fer::WarningLimiter fault;
  fer::WarningLimiter no_record;
  fer::PendingModelSource wish;  ///< Set with `settings` locked.
  fer::ServedModel model;        ///< Used like `stream`.
  fer::ElementMetrics metrics;
  Stream stream;
};

}  // namespace

struct _FerInfer {
  GstBaseTransform parent;
  Parts* parts;
};

G_DEFINE_FINAL_TYPE(FerInfer, fer_infer, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(ferinfer, "ferinfer", GST_RANK_NONE, FER_TYPE_INFER)

namespace {

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

// --- Properties.

fer::PropertyTable<Settings> properties;  ///< Filled by class_init, read from then on.

/// The model that the settings name.
fer::ServedModel::Wish wish_of(const Settings& settings) {
  return {settings.model, settings.model_slot, settings.precision, settings.device,
          settings.reload};
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Parts& parts = *FER_INFER(object)->parts;
  parts.settings.with([&](Settings& settings) {
    properties.set(settings, object, id, value, spec);
    parts.wish.set(settings.model_slot, fer::ServedModel::source_of(wish_of(settings)));
  });
}

void count_slot(fer::ModelSlot& slot, Stats& stats) {
  stats.batches = slot.queue().batches();
  stats.swaps = slot.swaps();
  stats.load_errors = slot.failures().count;
}

/// Faces that were said something of.
guint64 labelled(const Stats& stats) {
  return stats.inferences + stats.cached;
}

GstStructure* structure_of(const Stats& stats) {
  const GstClockTime average =
      stats.inference_frames == 0 ? 0 : stats.total_inference_time / stats.inference_frames;
  return gst_structure_new(
      "fer-infer-stats", "model-version", G_TYPE_STRING, stats.model_version.c_str(), "engine",
      G_TYPE_STRING, stats.engine.c_str(), "precision", G_TYPE_STRING, stats.precision.c_str(),
      "frames", G_TYPE_UINT64, stats.frames, "faces", G_TYPE_UINT64, stats.faces, "inferences",
      G_TYPE_UINT64, stats.inferences, "cached", G_TYPE_UINT64, stats.cached, "skipped",
      G_TYPE_UINT64, stats.skipped, "failed", G_TYPE_UINT64, stats.failed, "batches", G_TYPE_UINT64,
      stats.batches, "swaps", G_TYPE_UINT64, stats.swaps, "load-errors", G_TYPE_UINT64,
      stats.load_errors, "average-inference-time", G_TYPE_UINT64, average, "last-inference-time",
      G_TYPE_UINT64, stats.last_inference_time, "average-age", G_TYPE_DOUBLE,
      labelled(stats) == 0
          ? 0.
          : static_cast<double>(stats.total_age) / static_cast<double>(labelled(stats)),
      nullptr);
}

fer::Metrics metrics_of(const Stats& stats) {
  fer::Metrics metrics;
  const auto count = [&](const char* name, const char* help, guint64 value) {
    metrics.counter(name, help, static_cast<double>(value));
  };
  count("fer_infer_frames_total", "Frames that passed", stats.frames);
  count("fer_infer_faces_total", "Faces, over all frames", stats.faces);
  count("fer_infer_inferences_total", "Faces that were inferred", stats.inferences);
  count("fer_infer_cached_total", "Faces that kept what was last said of them", stats.cached);
  count("fer_infer_skipped_total", "Frames not inferred because they were late", stats.skipped);
  count("fer_infer_failed_total", "Frames whose inference failed", stats.failed);
  count("fer_infer_batches_total", "Batches of the slot, all its elements together", stats.batches);
  count("fer_infer_swaps_total", "Models of the slot that followed the first", stats.swaps);
  count("fer_infer_load_errors_total", "Reloads of the slot's model that failed",
        stats.load_errors);
  metrics.summary("fer_infer_run_seconds", "What it took to infer the faces of a frame",
                  fer::seconds(stats.total_inference_time), stats.inference_frames);
  metrics.gauge("fer_infer_last_run_seconds", "What it took to infer the faces of the last frame",
                fer::seconds(stats.last_inference_time));
  metrics.summary("fer_infer_result_age_frames",
                  "Age of what is said of faces, in frames since their inference",
                  static_cast<double>(stats.total_age), labelled(stats));
  metrics.gauge(
      "fer_infer_model_info", "The model that serves; always 1", 1,
      {{"version", stats.model_version}, {"engine", stats.engine}, {"precision", stats.precision}});
  return metrics;
}

Stats current_stats(Parts& parts) {
  Stats stats = parts.stats.copy();
  if (const auto slot = parts.slot.copy()) count_slot(*slot, stats);
  return stats;
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Parts& parts = *FER_INFER(object)->parts;
  if (id == properties.stats_id()) {
    g_value_take_boxed(value, structure_of(current_stats(parts)));
  } else if (id == properties.stats_id() + 1) {
    fer::get_metrics_url(parts.metrics, value);
  } else {
    properties.get(parts.settings.copy(), object, id, value, spec);
  }
}

// --- The model.

/// Names the model in `stats`.
void note_model(Parts& parts, const fer::Classifier& model) {
  parts.stats.with([&](Stats& stats) {
    stats.model_version = model.info().version;
    stats.engine = model.engine();
    stats.precision = model.precision() == fer::Precision::kBf16 ? "bf16" : "fp32";
  });
}

gboolean start(GstBaseTransform* base) {
  FerInfer* self = FER_INFER(base);
  return fer::guarded(self, FALSE, [&]() -> gboolean {
    Parts& parts = *self->parts;
    const Settings settings = parts.settings.copy();
    if (!parts.model.open(GST_ELEMENT(self), wish_of(settings))) return FALSE;
    const fer::Classifier& model = parts.model.model();
    GST_INFO_OBJECT(self, "model %s computed by %s", model.info().version.c_str(),
                    model.engine().c_str());
    parts.stats.with([](Stats& stats) { stats = {}; });
    note_model(parts, model);
    parts.slot.with([&](auto& shared) { shared = parts.model.slot(); });
    parts.lateness.reset();
    parts.fault.reset();
    parts.no_record.reset();
    parts.metrics.start(GST_ELEMENT(self), settings.metrics_address, settings.model_slot,
                        [&parts] { return metrics_of(current_stats(parts)); });
    return TRUE;
  });
}

gboolean stop(GstBaseTransform* base) {
  Parts& parts = *FER_INFER(base)->parts;
  parts.metrics.stop(GST_ELEMENT(base));
  if (const auto& slot = parts.model.slot()) {
    parts.stats.with([&](Stats& stats) { count_slot(*slot, stats); });
  }
  parts.slot.with([](auto& shared) { shared.reset(); });
  parts.model.close();
  parts.stream = {};
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
  fer::ServedModel& model = self->parts->model;
  if (const auto before = model.refresh(GST_ELEMENT(self))) {
    note_model(*self->parts, model.model());
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
  Stream& stream = self->parts->stream;
  stream.info = fer::raw_video_info(self, caps);
  if (!stream.info) return FALSE;
  stream.known.clear();
  return TRUE;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  Parts& parts = *FER_INFER(base)->parts;
  if (fer::starts_anew(event)) {
    parts.stream.known.clear();
    parts.lateness.reset();
  }
  return GST_BASE_TRANSFORM_CLASS(fer_infer_parent_class)->sink_event(base, event);
}

gboolean src_event(GstBaseTransform* base, GstEvent* event) {
  FER_INFER(base)->parts->lateness.take(event);
  return GST_BASE_TRANSFORM_CLASS(fer_infer_parent_class)->src_event(base, event);
}

// --- Frames.

using Chosen = std::vector<fer::FaceRecord*>;

/// What the model of the slot says of the faces.
fer::BatchQueue::Answer classify(FerInfer* self, const Settings& settings, GstBuffer* buffer,
                                 const Chosen& chosen) {
  Stream& stream = self->parts->stream;
  fer::ModelSlot& slot = *self->parts->model.slot();
  const guint threads =
      settings.threads > 0 ? settings.threads : std::max(1u, std::thread::hardware_concurrency());
  const auto model = slot.current();
  {
    const fer::MappedFrame mapped(*stream.info, buffer, GST_MAP_READ,
                                  stream.cuda.reader(GST_ELEMENT(self), buffer));
    if (!mapped) {
      throw std::runtime_error("the buffer does not hold the frame that its caps describe");
    }
    fer::cut_faces(mapped.view(), settings.region, chosen, model->info(), stream.crops);
  }
  auto answer = slot.queue().classify(stream.crops.bytes(), threads);
  if (!fer::same_crops(answer.classifier->info(), model->info())) {
    // One that wants other crops took over meanwhile. These are for the one before it.
    answer = {model, model->logits(stream.crops.bytes())};
  }
  return answer;
}

/// Infers the faces and sets their expressions.
void infer(FerInfer* self, const Settings& settings, GstBuffer* buffer, const Chosen& chosen) {
  Parts& parts = *self->parts;
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
    parts.stream.known.learn(*face, std::move(fresh), settings.smoothing);
    row += static_cast<std::ptrdiff_t>(model.labels.size());
  }
  const GstClockTime time = stopwatch.elapsed();
  parts.stats.with([&](Stats& stats) {
    stats.inferences += chosen.size();
    ++stats.inference_frames;
    stats.last_inference_time = time;
    stats.total_inference_time += time;
  });
}

/// The faces that are to be inferred now, if this frame is one on which faces are.
Chosen choose(FerInfer* self, const Settings& settings, const fer::Classifier& model,
              GstBuffer* buffer, std::vector<fer::FaceRecord>& faces) {
  Parts& parts = *self->parts;
  const bool turn = (parts.stream.frame - 1) % settings.inference_interval == 0;
  if (!turn || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) return {};
  const fer::ReclassifyRules rules{settings.reclassify_interval, model.info().version};
  Chosen chosen;
  for (fer::FaceRecord& face : faces) {
    if (parts.stream.known.due(face, rules)) chosen.push_back(&face);
  }
  if (!chosen.empty() && settings.qos && parts.lateness.is_late(GST_BASE_TRANSFORM(self), buffer)) {
    parts.stats.with([](Stats& stats) { ++stats.skipped; });
    return {};
  }
  return chosen;
}

void label(FerInfer* self, const Settings& settings, const fer::Classifier& model,
           GstBuffer* buffer, std::vector<fer::FaceRecord>& faces) {
  Parts& parts = *self->parts;
  // What another ferinfer upstream said stays only where this one says nothing.
  Chosen chosen = choose(self, settings, model, buffer, faces);
  if (!chosen.empty()) {
    try {
      infer(self, settings, buffer, chosen);
    } catch (const std::exception& error) {
      chosen.clear();
      parts.stats.with([](Stats& stats) { ++stats.failed; });
      fer::warn_limited(
          GST_ELEMENT(self), parts.fault,
          "The faces of a frame were not labelled: " + std::string(error.what()) + ".");
    }
  }
  guint64 recalled = 0, age = 0;
  for (fer::FaceRecord& face : faces) {
    const bool inferred = std::find(chosen.begin(), chosen.end(), &face) != chosen.end();
    if (inferred || !parts.stream.known.recall(face)) continue;
    ++recalled;
    age += face.expression->age;
  }
  parts.stats.with([&](Stats& stats) {
    stats.faces += faces.size();
    stats.cached += recalled;
    stats.total_age += age;
  });
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  FerInfer* self = FER_INFER(base);
  return fer::guarded(self, GST_FLOW_ERROR, [&] {
    Parts& parts = *self->parts;
    fer::sync_properties(base, buffer);
    const Settings settings = parts.settings.copy();
    const fer::Classifier& model = current_model(self);
    ++parts.stream.frame;
    parts.stream.known.next_frame();
    auto faces = fer::faces_of_frame(GST_ELEMENT(self), settings.region, buffer, parts.no_record);
    if (faces) {
      label(self, settings, model, buffer, *faces);
      fer::face_meta_write(buffer, *parts.stream.info, *faces);
    }
    parts.stats.with([](Stats& stats) { ++stats.frames; });
    GST_LOG_OBJECT(self, "%zu faces on %" GST_PTR_FORMAT, faces ? faces->size() : 0, buffer);
    return GST_FLOW_OK;
  });
}

void finalize(GObject* object) {
  delete FER_INFER(object)->parts;
  G_OBJECT_CLASS(fer_infer_parent_class)->finalize(object);
}

void install_properties(GObjectClass* klass) {
  properties.add(
      &Settings::model,
      {"model", "Model", "File of the expression model (.fer); unset: the one that gst-fer ships"},
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
  // In place of the base class's, which would drop late frames altogether.
  properties.add(&Settings::qos,
                 {"qos", "QoS",
                  "On frames that come too late downstream, keep what was last said of the faces "
                  "in place of inferring them"},
                 fer::kMutablePlaying);
  fer::add_metrics_address(properties, &Settings::metrics_address);
  properties.install(
      klass,
      "Since the start: model-version, engine (what computes it), precision, frames, faces (over "
      "all frames), inferences (faces inferred), cached (faces that kept what was last said of "
      "them), skipped (frames not inferred because they were late), failed (frames whose inference "
      "failed), average-inference-time and last-inference-time (nanoseconds a frame on which faces "
      "were inferred), average-age (frames since the inference of what is said of a face); of the "
      "slot, since it was made, all its elements together: batches, swaps (models that followed "
      "the first), load-errors");
  fer::install_metrics_url(klass, properties.stats_id() + 1);
}

}  // namespace

static void fer_infer_class_init(FerInferClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_infer_debug, "ferinfer", 0, "Says what faces express");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties(object_class);

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
  self->parts = new Parts;
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}
