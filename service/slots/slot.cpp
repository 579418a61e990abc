#include "slots/slot.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "journal/journal.h"
#include "model/slot.h"
#include "slots/open_learner.h"

namespace fer {
namespace {

constexpr std::size_t kEvents = 100;

std::int64_t now_s() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

/// The error that the element posted, as a sentence.
std::string error_of(GstElement* pipeline) {
  std::string text = "it does not start";
  GstBus* bus = gst_element_get_bus(pipeline);
  if (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    text = error->message;
    g_error_free(error);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return text;
}

}  // namespace

Slot::Slot(const SlotConfig& config) : config_(config), model_(ModelSlot::get(config.name)) {
  if (!config_.learns) return;
  keeper_ = gst_pipeline_new(nullptr);
  GstElement* learn = gst_element_factory_make("ferlearn", (config_.name + "-learner").c_str());
  if (learn == nullptr) {
    gst_object_unref(keeper_);
    throw std::runtime_error("slot " + config_.name +
                             ": GStreamer does not find the element ferlearn; fer doctor says why");
  }
  gst_bin_add(GST_BIN(keeper_), learn);
  apply(config_.learn, learn);
  g_object_set(learn, "model-slot", config_.name.c_str(), nullptr);
  if (!config_.model.empty()) g_object_set(learn, "source-model", config_.model.c_str(), nullptr);
  if (gst_element_set_state(keeper_, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE) {
    const std::string why = error_of(keeper_);
    gst_element_set_state(keeper_, GST_STATE_NULL);
    gst_object_unref(keeper_);
    throw std::runtime_error("slot " + config_.name + ": " + why);
  }
  gint role = 0;
  g_object_get(learn, "role", &role, nullptr);
  // A collector's learner is elsewhere; to ask for one would make it.
  if (role != 0) return;
  try {
    learner_ = open_learner(config_.name);  // the one that the element has just made
  } catch (...) {
    gst_element_set_state(keeper_, GST_STATE_NULL);
    gst_object_unref(keeper_);
    throw;
  }
}

Slot::~Slot() {
  learner_.reset();
  if (keeper_ == nullptr) return;
  gst_element_set_state(keeper_, GST_STATE_NULL);
  gst_object_unref(keeper_);
}

std::string Slot::version() const {
  const auto model = model_->current();
  return model ? model->info().version : "";
}

void Slot::note(const std::string& kind, const std::string& text) {
  log_line(kind == "warning" ? Level::kWarning : Level::kInfo,
           "slot " + config_.name + ": " + kind + ": " + text);
  events_.push_back({next_++, now_s(), kind, text});
  if (events_.size() > kEvents) events_.pop_front();
}

void Slot::look() {
  if (!learner_) return;
  desk_.forget_expired(now_s());
  const LearnerStats stats = learner_->stats();
  const std::lock_guard lock(mutex_);
  const std::uint64_t decided = stats.promotions + stats.kept + stats.rollbacks;
  const bool is_new = decided != decided_ || stats.decision != decision_ || stats.reason != reason_;
  if (is_new && !stats.decision.empty()) note(stats.decision, stats.reason);
  // What the learner forgets at once lies nowhere else.
  if (is_new && stats.decision == "reset") desk_.clear();
  decided_ = decided;
  decision_ = stats.decision;
  reason_ = stats.reason;
  if (stats.warnings != warnings_) note("warning", stats.last_warning);
  warnings_ = stats.warnings;
}

std::vector<SlotEvent> Slot::events(std::uint64_t after) const {
  const std::lock_guard lock(mutex_);
  std::vector<SlotEvent> found;
  std::copy_if(events_.begin(), events_.end(), std::back_inserter(found),
               [&](const SlotEvent& one) { return one.number > after; });
  return found;
}

}  // namespace fer
