#include "pending-model-source.h"

#include <algorithm>
#include <vector>

#include "locked.h"

namespace fer {
namespace {

struct Wish {
  const PendingModelSource* whose;
  std::string slot;
  ModelSlot::Source source;
};

Locked<std::vector<Wish>>& wishes() {
  static Locked<std::vector<Wish>> all;
  return all;
}

}  // namespace

PendingModelSource::~PendingModelSource() {
  set("", {});
}

void PendingModelSource::set(const std::string& slot, const ModelSlot::Source& source) {
  const bool named = !slot.empty() && !source.path.empty();
  wishes().with([&](std::vector<Wish>& all) {
    const auto mine =
        std::find_if(all.begin(), all.end(), [&](const Wish& wish) { return wish.whose == this; });
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
  return wishes().with([&](const std::vector<Wish>& all) -> std::optional<ModelSlot::Source> {
    const auto first =
        std::find_if(all.begin(), all.end(), [&](const Wish& wish) { return wish.slot == slot; });
    if (first == all.end()) return std::nullopt;
    return first->source;
  });
}

}  // namespace fer
