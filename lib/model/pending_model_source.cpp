#include "model/pending_model_source.h"

#include <algorithm>
#include <mutex>
#include <vector>

namespace fer {
namespace {

struct Named {
  const PendingModelSource* whose;
  std::string slot;
  ModelSlot::Source source;
};

/// What all elements of the process name, the earliest first.
struct NamedSources {
  std::mutex mutex;
  std::vector<Named> all;  ///< Guarded by mutex.
};

NamedSources& named_sources() {
  static NamedSources sources;
  return sources;
}

}  // namespace

PendingModelSource::~PendingModelSource() {
  set("", {});
}

void PendingModelSource::set(const std::string& slot, const ModelSlot::Source& source) {
  const bool named = !slot.empty() && !source.path.empty();
  auto& [mutex, all] = named_sources();
  const std::lock_guard lock(mutex);
  const auto mine =
      std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.whose == this; });
  if (mine == all.end()) {
    if (named) all.push_back({this, slot, source});
  } else if (named) {
    *mine = {this, slot, source};
  } else {
    all.erase(mine);
  }
}

std::optional<ModelSlot::Source> PendingModelSource::of(const std::string& slot) {
  auto& [mutex, all] = named_sources();
  const std::lock_guard lock(mutex);
  const auto first =
      std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.slot == slot; });
  if (first == all.end()) return std::nullopt;
  return first->source;
}

}  // namespace fer
