#include "pending-model-source.h"

#include <algorithm>
#include <vector>

#include "locked.h"

namespace fer {
namespace {

struct Named {
  const PendingModelSource* whose;
  std::string slot;
  ModelSlot::Source source;
};

Locked<std::vector<Named>>& named_sources() {
  static Locked<std::vector<Named>> all;
  return all;
}

}  // namespace

PendingModelSource::~PendingModelSource() {
  set("", {});
}

void PendingModelSource::set(const std::string& slot, const ModelSlot::Source& source) {
  const bool named = !slot.empty() && !source.path.empty();
  named_sources().with([&](std::vector<Named>& all) {
    const auto mine =
        std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.whose == this; });
    if (mine == all.end()) {
      if (named) all.push_back({this, slot, source});
    } else if (named) {
      *mine = {this, slot, source};
    } else {
      all.erase(mine);
    }
  });
}

std::optional<ModelSlot::Source> PendingModelSource::of(const std::string& slot) {
  return named_sources().with(
      [&](const std::vector<Named>& all) -> std::optional<ModelSlot::Source> {
        const auto first = std::find_if(all.begin(), all.end(),
                                        [&](const Named& one) { return one.slot == slot; });
        if (first == all.end()) return std::nullopt;
        return first->source;
      });
}

}  // namespace fer
