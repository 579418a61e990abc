#include "record-filter.h"

#include <algorithm>
#include <utility>

namespace fer {

bool RecordFilter::admit(const FrameRecord& record, std::uint64_t now, const Wanted& wanted) {
  if (last_ && now >= last_->when && now - last_->when < wanted.interval) return false;
  Seen seen = wanted.on_change ? seen_in(record) : Seen();
  if (last_ && wanted.on_change && seen == last_->seen) return false;
  last_ = Last{now, std::move(seen)};
  return true;
}

RecordFilter::Seen RecordFilter::seen_in(const FrameRecord& record) {
  Seen seen;
  for (const FaceRecord& face : record.faces) {
    const bool known = face.expression.has_value();
    seen.emplace_back(face.track_id, known ? face.expression->label : std::string(),
                      known && face.expression->unsure);
  }
  // Faces change places in the list without anything having changed.
  std::sort(seen.begin(), seen.end());
  return seen;
}

}  // namespace fer
