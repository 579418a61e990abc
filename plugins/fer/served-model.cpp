#include "served-model.h"

#include <exception>
#include <filesystem>
#include <utility>

#include "model/find_model.h"
#include "model/foreign/onnx_path.h"

namespace fer {
namespace {

/// The model of the slot; null, and an element error, where there is none.
std::shared_ptr<const Classifier> open_in_slot(GstElement* element,
                                               const ServedModel::Request& request,
                                               ModelSlot& slot) {
  ModelSlot::Source source = ServedModel::source_of(request);
  if (source.path.empty()) source.path = find_expression_model();
  if (source.path.empty() && !slot.current()) {
    GST_ELEMENT_ERROR(element, RESOURCE, NOT_FOUND,
                      ("There is no expression model on this machine: name one by the property "
                       "model, or name the folder that holds %s by FER_MODELS.",
                       kExpressionModel),
                      (nullptr));
    return nullptr;
  }
  try {
    return slot.open(source);
  } catch (const std::exception& error) {
    post_open_error(element, source.path, error.what());
    return nullptr;
  }
}

/// Says where what was asked for is not what serves.
void warn_of_differences(GstElement* element, const ServedModel::Request& request,
                         const ModelSlot& slot, const Classifier& model) {
  std::error_code ignored;
  if (!request.file.empty() && request.file != slot.source() &&
      !std::filesystem::equivalent(request.file, slot.source(), ignored)) {
    GST_ELEMENT_WARNING(element, RESOURCE, SETTINGS,
                        ("%s is not loaded: model-slot %s serves version %s%s%s already.",
                         request.file.c_str(), request.slot.c_str(), model.info().version.c_str(),
                         slot.source().empty() ? "" : " of ", slot.source().c_str()),
                        (nullptr));
  }
  if (request.precision == Precision::kBf16 && model.precision() != Precision::kBf16) {
    const char* reason = "this processor has no instructions for bf16";
    if (cpu_has_bf16()) reason = "the model of the slot was loaded so";
    if (is_onnx_path(slot.source())) reason = "ONNX networks are";
    GST_ELEMENT_WARNING(element, RESOURCE, SETTINGS,
                        ("precision=bf16 is computed as fp32: %s.", reason), (nullptr));
  }
}

}  // namespace

ModelSlot::Source ServedModel::source_of(const Request& request) {
  ModelSlot::Source source;
  source.path = request.file;
  source.layout = {request.precision, request.device};
  source.reload = request.reload;
  return source;
}

bool ServedModel::open(GstElement* element, const Request& request) {
  auto slot = ModelSlot::get(request.slot);
  auto model = open_in_slot(element, request, *slot);
  if (!model) return false;
  warn_of_differences(element, request, *slot, *model);
  failures_ = slot->failures().count;
  slot_ = std::move(slot);
  model_ = std::move(model);
  load_error_.reset();
  auto_device_ = request.device == "auto";
  told_fallback_ = false;
  tell_fallback(element);
  return true;
}

void ServedModel::tell_fallback(GstElement* element) {
  if (told_fallback_ || !auto_device_) return;
  const std::string reason = model_->fallback();
  if (reason.empty()) return;
  told_fallback_ = true;
  GST_ELEMENT_WARNING(element, RESOURCE, SETTINGS,
                      ("Expressions are computed on the processor: %s; device=cpu says that this "
                       "is meant.",
                       reason.c_str()),
                      (nullptr));
}

std::shared_ptr<const Classifier> ServedModel::refresh(GstElement* element) {
  tell_fallback(element);
  const auto failures = slot_->failures();
  if (failures.count != failures_) {
    failures_ = failures.count;
    warn_limited(element, load_error_,
                 "The model file was replaced by one that cannot be used, so that version " +
                     model_->info().version + " serves on: " + failures.last + ".");
  }
  auto now = slot_->current();
  if (!now || now == model_) return nullptr;
  return std::exchange(model_, std::move(now));
}

void ServedModel::close() {
  model_.reset();
  slot_.reset();
}

}  // namespace fer
