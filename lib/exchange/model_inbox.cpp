#include "exchange/model_inbox.h"

#include <exception>
#include <system_error>
#include <utility>

#include "exchange/model_message.h"
#include "exchange/refused_message.h"
#include "model/atomic_file.h"
#include "model/model_info.h"
#include "model/owner_only_files.h"
#include "model/slot.h"
#include "model/stored_model.h"
#include "util/first_line.h"

namespace fer {
namespace {

constexpr char kTaken[] = "taken.fer", kReceived[] = "received.fer";

}  // namespace

ModelInbox::ModelInbox(Settings settings)
    : settings_(std::move(settings)), source_version_(read_model_info(settings_.source).version) {}

void ModelInbox::offer(std::string message) {
  const std::lock_guard lock(mutex_);
  message_ = std::move(message);
}

void ModelInbox::open() {
  try {
    if (settings_.canary.empty()) {
      throw std::runtime_error(
          "no model of the broker is taken up: there is no canary here; name one, or put it beside "
          "the source model with the ending .canary");
    }
    trial_ = std::make_unique<ModelTrial>(settings_.source, settings_.canary, settings_.learning);
  } catch (const std::exception& unreadable) {
    why_no_trial_ = first_line(unreadable.what());
    throw std::runtime_error(why_no_trial_);
  }
  const auto taken = settings_.folder / kTaken;
  std::error_code ignored;
  if (!std::filesystem::exists(taken, ignored)) return;
  try {
    try_file(taken, /*version=*/"");
  } catch (const RefusedMessage& refused) {
    settings_.on_refused(refused.what());
  }
}

void ModelInbox::step() {
  std::optional<std::string> message;
  {
    const std::lock_guard lock(mutex_);
    message = std::exchange(message_, std::nullopt);
  }
  // An empty one says that there is no model any more.
  if (!message || message->empty()) return;
  MessageFault fault = MessageFault::kBroken;
  std::string sentence;
  try {
    take(*message);
    return;
  } catch (const RefusedMessage& refused) {
    fault = refused.fault;
    sentence = refused.what();
  } catch (const std::exception& failed) {
    sentence = first_line(failed.what());
  }
  {
    const std::lock_guard lock(mutex_);
    ++counts_.refused[name_of(fault)];
    counts_.last_refusal = sentence;
  }
  settings_.on_refused(sentence);
}

void ModelInbox::take(const std::string& message) {
  {
    const std::lock_guard lock(mutex_);
    counts_.refused_version.clear();
  }
  const ModelMessage model = decode_model(message, settings_.slot);
  const auto serving = settings_.served_by->current();
  if (serving && serving->info().version == model.version) return;
  {
    const std::lock_guard lock(mutex_);
    counts_.refused_version = model.version;
  }
  if (model.version != source_version_ && model.parent != source_version_) {
    throw RefusedMessage(MessageFault::kParent,
                         "version " + model.version + " was adapted from version " + model.parent +
                             "; expected one adapted from " + source_version_);
  }
  const auto received = settings_.folder / kReceived;
  {
    const OwnerOnlyFiles owner_only;
    write_atomically(received, {model.file});
  }
  std::error_code ignored;
  try {
    try_file(received, model.version);
  } catch (...) {
    std::filesystem::remove(received, ignored);
    throw;
  }
  std::filesystem::rename(received, settings_.folder / kTaken);
  const std::lock_guard lock(mutex_);
  counts_.refused_version.clear();
}

void ModelInbox::try_file(const std::filesystem::path& file, const std::string& version) {
  if (!trial_) throw RefusedMessage(MessageFault::kCanary, why_no_trial_);
  const ModelTrial::Verdict verdict = trial_->judge(file);
  if (!verdict.model) {
    const MessageFault fault = verdict.judged ? MessageFault::kCanary : MessageFault::kBroken;
    throw RefusedMessage(fault, "the model " + version + (version.empty() ? "" : " ") +
                                    "does not serve here: " + verdict.reason);
  }
  const std::string& found = verdict.model->info.version;
  if (!version.empty() && found != version) {
    throw RefusedMessage(MessageFault::kHash,
                         "the message says version " + version + ", its model says " + found);
  }
  settings_.served_by->serve(verdict.model);
  {
    const std::lock_guard lock(mutex_);
    ++counts_.taken;
    counts_.score = verdict.score;
  }
  settings_.on_taken(found, verdict.score);
}

ModelInbox::Counts ModelInbox::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace fer
