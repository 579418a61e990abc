#include "ferlearn.h"

#include <gst/video/video.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crop-batch.h"
#include "cuda-frames.h"
#include "element-base.h"
#include "element-util.h"
#include "face-geometry.h"
#include "face-meta.h"
#include "face-sampler.h"
#include "face-taker.h"
#include "frame-allocation.h"
#include "frame-faces.h"
#include "learn-settings.h"
#include "learner-table.h"
#include "model/pending_model_source.h"
#include "model/slot.h"
#include "stream/learner.h"
#include "video-frame.h"

GST_DEBUG_CATEGORY_STATIC(fer_learn_debug);
#define GST_CAT_DEFAULT fer_learn_debug

namespace {

/// What stop() throws away. Only the streaming thread uses it, and start() and stop(), while that
/// does not run.
struct State {
  std::optional<GstVideoInfo> info;
  fer::CudaFrames cuda;
  std::string source;  ///< The stream's id.
  fer::FaceSampler sampler;
  fer::CropBatch crops;
};

/// `stats` holds the counts of this element, and of the learner what stop() left.
struct Impl : fer::ElementImpl<fer::LearnSettings, fer::LearnReport> {
  /// Null while stopped.
  fer::Locked<std::shared_ptr<fer::FaceTaker>> learner;
  fer::Learner::Subscription subscription;  ///< Used like `state`.
  fer::WarningLimiter no_record;
  State state;

  /// Hands on what may change while the learner runs, where this is the property that was set:
  /// others feed the learner too, and what they told it stays.
  void apply(const fer::LearnSettings& now, const std::string& property) {
    const auto running = learner.copy();
    if (!running) return;
    if (property == fer::kMaxCpu) running->set_max_cpu(now.max_cpu);
    if (property == fer::kPaused) running->pause(now.paused);
  }
  fer::LearnReport current_stats() {
    fer::LearnReport report = stats.copy();
    if (const auto running = learner.copy()) running->report(report);
    return report;
  }
};

}  // namespace

struct _FerLearn {
  GstBaseTransform parent;
  Impl* impl;
};

G_DEFINE_FINAL_TYPE(FerLearn, fer_learn, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(ferlearn, "ferlearn", GST_RANK_NONE, FER_TYPE_LEARN)

namespace {

using Base = fer::ElementBase<FerLearn>;

guint model_updated_signal = 0;
guint rolled_back_signal = 0;

// --- The learner.

void post(FerLearn* self, GstStructure* structure) {
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), structure));
}

/// What the learner tells, on its thread. stop() ends the subscription before the element can go.
fer::Learner::Listener listener_of(FerLearn* self) {
  fer::Learner::Listener listener;
  listener.on_updated = [self](const std::string& version, double score) {
    GST_INFO_OBJECT(self, "model %s serves, %.4f on the canary", version.c_str(), score);
    post(self, gst_structure_new("fer-model-updated", "version", G_TYPE_STRING, version.c_str(),
                                 "score", G_TYPE_DOUBLE, score, nullptr));
    g_signal_emit(self, model_updated_signal, 0, version.c_str(), score);
  };
  listener.on_rolled_back = [self](const std::string& reason) {
    GST_INFO_OBJECT(self, "rolled back: %s", reason.c_str());
    post(self,
         gst_structure_new("fer-rolled-back", "reason", G_TYPE_STRING, reason.c_str(), nullptr));
    g_signal_emit(self, rolled_back_signal, 0, reason.c_str());
  };
  listener.on_report = [self](const fer::LearnerStats& stats) {
    fer::LearnReport report = self->impl->stats.copy();
    report.learner = stats;
    post(self, Base::stats_table().structure(report, "fer-learning"));
  };
  listener.on_warning = [self](const std::string& warning) {
    GST_ELEMENT_WARNING(self, RESOURCE, FAILED, ("%s", warning.c_str()), (nullptr));
  };
  return listener;
}

/// Joins the learner of the slot, or makes it. False, and an element error, where that fails.
bool join(FerLearn* self, const fer::LearnSettings& settings) {
  Impl& impl = *self->impl;
  std::shared_ptr<fer::ModelSlot> slot;
  std::shared_ptr<fer::FaceTaker> learner;
  try {
    // A ferinfer that names the slot's model is going to open it; the learner finds it there.
    if (const auto pending = fer::PendingModelSource::of(settings.model_slot);
        pending && settings.source_model.empty()) {
      slot = fer::ModelSlot::get(settings.model_slot);
      slot->open(*pending);
    }
    learner = fer::open_face_taker(settings);
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ, ("Nothing can be learnt: %s.", error.what()),
                      (nullptr));
    return false;
  }
  // Only this way round: a learner that another element paused, or that paused itself where a step
  // failed, is not resumed by one more that joins.
  if (settings.paused) learner->pause(true);
  impl.subscription = learner->subscribe(listener_of(self));
  impl.learner.with([&](auto& held) { held = std::move(learner); });
  return true;
}

gboolean start(GstBaseTransform* base) {
  FerLearn* self = FER_LEARN(base);
  return fer::guarded(self, FALSE, [&]() -> gboolean {
    Impl& impl = *self->impl;
    const fer::LearnSettings settings = impl.settings.copy();
    if (settings.model_slot.empty() && settings.checkpoint_dir.empty()) {
      GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS,
                          ("What is learnt here reaches nobody: set model-slot to the slot of the "
                           "ferinfer that is to serve it, or checkpoint-dir to keep it."),
                          (nullptr));
    }
    impl.no_record.reset();
    if (!join(self, settings)) return FALSE;
    Base::start(self, {{"slot", settings.model_slot}});
    return TRUE;
  });
}

gboolean stop(GstBaseTransform* base) {
  Impl& impl = *FER_LEARN(base)->impl;
  Base::stop(FER_LEARN(base));
  impl.subscription = {};
  auto learner = impl.learner.with([](auto& held) { return std::exchange(held, nullptr); });
  if (learner) {
    learner->end_of(impl.state.source);
    impl.stats.with([&](fer::LearnReport& report) { learner->report(report); });
  }
  learner.reset();  // Saves, where nobody else holds it.
  impl.state = {};
  return TRUE;
}

// --- Actions.

void ask(FerLearn* self, void (fer::Learner::*action)(), const char* name) {
  const auto taker = self->impl->learner.copy();
  if (taker && taker->learner() != nullptr) {
    (taker->learner()->*action)();
  } else if (taker) {
    GST_WARNING_OBJECT(self, "%s: the learner is behind the broker; ask it there", name);
  } else {
    GST_WARNING_OBJECT(self, "%s: there is no learner before READY to PAUSED", name);
  }
}

void save(FerLearn* self) {
  ask(self, &fer::Learner::save, "save");
}

void rollback(FerLearn* self) {
  ask(self, &fer::Learner::rollback, "rollback");
}

void reset(FerLearn* self) {
  ask(self, &fer::Learner::reset, "reset");
}

// --- Events.

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  FerLearn* self = FER_LEARN(base);
  State& state = self->impl->state;
  state.info = fer::raw_video_info(self, caps);
  return state.info.has_value();
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  Impl& impl = *FER_LEARN(base)->impl;
  State& state = impl.state;
  if (fer::is_discontinuity(event) || GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    if (const auto learner = impl.learner.copy()) learner->end_of(state.source);
    state.sampler.clear();
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    const gchar* id = nullptr;
    gst_event_parse_stream_start(event, &id);
    state.source = id != nullptr ? id : "";
  }
  return GST_BASE_TRANSFORM_CLASS(fer_learn_parent_class)->sink_event(base, event);
}

// --- Frames.

/// When the frame is, in its stream's own time; the clock's where it does not say.
GstClockTime time_of(const GstBuffer* buffer) {
  return GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : gst_util_get_timestamp();
}

/// Hands the faces that are due to the learner.
void sample(FerLearn* self, fer::FaceTaker& learner, const fer::LearnSettings& settings,
            GstBuffer* buffer, const std::vector<fer::FaceRecord*>& due) {
  Impl& impl = *self->impl;
  State& state = impl.state;
  const fer::MappedFrame mapped(*state.info, buffer, GST_MAP_READ,
                                state.cuda.reader(GST_ELEMENT(self), buffer));
  if (!mapped) {
    throw std::runtime_error("the buffer does not hold the frame that its caps describe");
  }
  const fer::FrameView view = mapped.view(fer::face_meta_orientation(buffer));
  fer::cut_faces(view, settings.region, due, learner.info(), state.crops);
  auto crop = state.crops.bytes().begin();
  const auto crop_bytes = state.crops.bytes().end() - crop;
  const auto each = crop_bytes / static_cast<std::ptrdiff_t>(due.size());
  guint64 taken = 0;
  for (const fer::FaceRecord* face : due) {
    fer::FaceSample sample;
    sample.crop.assign(crop, crop + each);
    crop += each;
    sample.source = state.source;
    sample.track = face->track_id > 0 ? static_cast<std::int64_t>(face->track_id) : -1;
    sample.time_ns = static_cast<std::int64_t>(time_of(buffer));
    sample.confidence = static_cast<float>(face->confidence);
    sample.face_size = static_cast<float>(fer::face_size(*face, geometry_of(view)));
    if (learner.offer(std::move(sample))) ++taken;
  }
  impl.stats.with([&](fer::LearnReport& report) { report.counts.sampled += taken; });
}

void look_at(FerLearn* self, const fer::LearnSettings& settings, GstBuffer* buffer) {
  Impl& impl = *self->impl;
  const auto learner = impl.learner.copy();
  if (!learner || settings.paused || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) return;
  auto faces = fer::faces_of_frame(GST_ELEMENT(self), settings.region, buffer, *impl.state.info,
                                   impl.no_record);
  if (!faces) return;
  impl.stats.with([&](fer::LearnReport& report) { report.counts.faces += faces->size(); });
  // Nobody can tell how these are turned: their crops are no evidence.
  std::erase_if(*faces, [](const fer::FaceRecord& face) { return !face.clear; });
  const auto due =
      impl.state.sampler.due(*faces, time_of(buffer), settings.sample_interval * GST_MSECOND);
  if (!due.empty()) sample(self, *learner, settings, buffer, due);
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  FerLearn* self = FER_LEARN(base);
  Impl& impl = *self->impl;
  // The base class lets buffers without caps through to a filter that passes them on as they are.
  if (!impl.state.info) return GST_FLOW_NOT_NEGOTIATED;
  return fer::guarded(self, GST_FLOW_ERROR, [&] {
    const fer::LearnSettings settings = impl.settings.copy();
    impl.stats.with([](fer::LearnReport& report) { ++report.counts.frames; });
    // Whatever is wrong with a face, the stream is not to suffer for it.
    try {
      look_at(self, settings, buffer);
    } catch (const std::exception& error) {
      impl.stats.with([](fer::LearnReport& report) { ++report.counts.failed; });
      fer::warn_limited(
          GST_ELEMENT(self), impl.fault,
          "The faces of a frame were not learnt from: " + std::string(error.what()) + ".");
    }
    return GST_FLOW_OK;
  });
}

void add_action(FerLearnClass* klass, const char* name, void (*action)(FerLearn*)) {
  g_signal_new_class_handler(name, G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(action), nullptr, nullptr, nullptr, G_TYPE_NONE, 0);
}

void install_signals(FerLearnClass* klass) {
  /**
   * FerLearn::model-updated:
   * @self: the element
   * @version: the version of the model that serves from here on
   * @score: its macro recall on the canary, from 0 to 1
   *
   * Emitted on the learner's thread when what was learnt took over in the slot. An element message
   * `fer-model-updated` tells the same. Handlers must not change the element's state.
   */
  model_updated_signal =
      g_signal_new("model-updated", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr,
                   nullptr, nullptr, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_DOUBLE);
  /**
   * FerLearn::rolled-back:
   * @self: the element
   * @reason: why, as a sentence
   *
   * Emitted on the learner's thread when what was learnt was thrown away, or a serving model was.
   * An element message `fer-rolled-back` tells the same. Handlers must not change the element's
   * state.
   */
  rolled_back_signal = g_signal_new("rolled-back", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0,
                                    nullptr, nullptr, nullptr, G_TYPE_NONE, 1, G_TYPE_STRING);
  add_action(klass, "save", save);          // Writes a checkpoint.
  add_action(klass, "rollback", rollback);  // Serves what served before the last promotion.
  add_action(klass, "reset", reset);        // Back to the source model.
}

}  // namespace

static void fer_learn_class_init(FerLearnClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_learn_debug, "ferlearn", 0, "Adapts a model to the faces it sees");
  Base::install(klass, fer::learn_properties(), fer::learner_table());
  install_signals(klass);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Facial expression learner", "Filter/Analyzer/Video",
      "Adapts the model of a slot to the faces that pass, without labels; frames pass untouched",
      "gst-fer");
  fer::add_video_pads(element_class);

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = start;
  base_class->stop = stop;
  base_class->set_caps = set_caps;
  base_class->sink_event = sink_event;
  base_class->propose_allocation = fer::propose_allocation;
  base_class->transform_ip = transform_ip;
}

static void fer_learn_init(FerLearn* self) {
  Base::init(self);
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  // Nothing is written on a frame, so that nobody has to copy it.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}
