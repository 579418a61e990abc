// Which frames' records are published, where not all are wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "frame-record.h"

namespace fer {

class RecordFilter {
 public:
  struct Wanted {
    bool on_change = false;      ///< Only what shows other faces or labels than the last one did.
    std::uint64_t interval = 0;  ///< At most one so often, in the unit of `now`.
  };

  /// Whether this record is to be published; then later ones are compared with it. A change that
  /// comes too soon is published later, unless it is undone before. Where `now` goes back, as after
  /// a seek, the interval begins anew.
  bool admit(const FrameRecord& record, std::uint64_t now, const Wanted& wanted);

  void reset() { last_.reset(); }

 private:
  /// Of each face the track, the label and whether that is unsure.
  using Seen = std::vector<std::tuple<std::uint64_t, std::string, bool>>;
  struct Last {
    std::uint64_t when = 0;
    Seen seen;
  };

  static Seen seen_in(const FrameRecord& record);

  std::optional<Last> last_;
};

}  // namespace fer
