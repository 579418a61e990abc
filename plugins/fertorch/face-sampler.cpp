#include "face-sampler.h"

namespace fer {

std::vector<FaceRecord*> FaceSampler::due(std::vector<FaceRecord>& faces, GstClockTime time,
                                          GstClockTime interval) {
  std::vector<FaceRecord*> due;
  for (FaceRecord& face : faces) {
    const auto taken = taken_.find(face.track_id);
    if (taken == taken_.end() || time < taken->second || time - taken->second >= interval) {
      due.push_back(&face);
    }
  }
  if (taken_.size() + due.size() > kMaxTracks) taken_.clear();
  for (const FaceRecord* face : due) taken_[face->track_id] = time;
  return due;
}

}  // namespace fer
