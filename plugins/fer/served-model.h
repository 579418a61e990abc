// The model that labels an element's frames, and what happens to it while they flow.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "element-util.h"
#include "model/slot.h"

namespace fer {

/// Follows a slot from frame to frame on behalf of one element. What somebody should know (a model
/// that is not there, a setting that cannot be met, a reload that failed) is posted as a message of
/// that element. Used by the streaming thread, and by start() and stop(), while that does not run.
class ServedModel {
 public:
  /// What the element's user asked for.
  struct Request {
    std::string file;  ///< Empty: the model that gst-fer ships.
    std::string slot;  ///< Empty: one that nobody else shares.
    Precision precision = Precision::kAuto;
    std::string device = "cpu";  ///< As resolve_device() takes it.
    bool reload = true;
  };

  /// As a slot opens it.
  static ModelSlot::Source source_of(const Request& request);

  /// Takes the model that the slot serves already, or opens the requested one for it. False, and an
  /// element error, where there is none.
  bool open(GstElement* element, const Request& request);

  /// Takes notice of what happened to the slot since the last frame. Returns the model that served
  /// before where another one took over, else null.
  std::shared_ptr<const Classifier> refresh(GstElement* element);

  /// Lets go of model and slot; waits for a reload under way if nobody else holds the slot.
  void close();

  /// Of open(), until close(); null before and after.
  const std::shared_ptr<ModelSlot>& slot() const { return slot_; }
  /// The model that the element last took notice of. It names what is told as an update; the batch
  /// queue asks the slot itself.
  const Classifier& model() const { return *model_; }

 private:
  /// Says, once, where "auto" became the processor for a reason.
  void tell_fallback(GstElement* element);

  std::shared_ptr<ModelSlot> slot_;
  std::shared_ptr<const Classifier> model_;
  guint64 failures_ = 0;  ///< Of the slot's reloads, as far as they were told.
  WarningLimiter load_error_;
  bool auto_device_ = false;
  bool told_fallback_ = false;
};

}  // namespace fer
