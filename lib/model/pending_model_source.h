// The model that an element names for a slot before it starts.
#pragma once

#include <optional>
#include <string>

#include "export.h"
#include "model/slot.h"

namespace fer {

/// GStreamer starts elements from the sink upwards, so that a ferlearn, which fills a slot too,
/// starts before the ferinfer upstream that names the slot's model. It finds here what that one is
/// going to open. Thread-safe, but for set() of one object.
class FER_API PendingModelSource {
 public:
  PendingModelSource() = default;
  ~PendingModelSource();
  PendingModelSource(const PendingModelSource&) = delete;
  PendingModelSource& operator=(const PendingModelSource&) = delete;

  /// Names `source` for the slot, in place of what this object named before, until it goes. Without
  /// a slot or a path it names nothing.
  void set(const std::string& slot, const ModelSlot::Source& source);

  /// What was named for the slot, the earliest where several were; nullopt where nothing was.
  static std::optional<ModelSlot::Source> of(const std::string& slot);
};

}  // namespace fer
