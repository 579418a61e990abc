#include "face-geometry.h"

namespace fer {

FaceRecord face_record(const TrackedFace& face, int width, int height) {
  FaceRecord record;
  record.track_id = face.track_id;
  record.x = static_cast<double>(face.box.x) / width;
  record.y = static_cast<double>(face.box.y) / height;
  record.w = static_cast<double>(face.box.width) / width;
  record.h = static_cast<double>(face.box.height) / height;
  record.confidence = static_cast<double>(face.score);
  if (face.landmarks) {
    auto& shares = record.landmarks.emplace();
    for (std::size_t i = 0; i < face.landmarks->size(); ++i) {
      shares[2 * i] = static_cast<double>((*face.landmarks)[i].x) / width;
      shares[2 * i + 1] = static_cast<double>((*face.landmarks)[i].y) / height;
    }
  }
  return record;
}

TrackedFace face_in_pixels(const FaceRecord& record, int width, int height) {
  TrackedFace face;
  face.track_id = record.track_id;
  face.box = {static_cast<float>(record.x * width), static_cast<float>(record.y * height),
              static_cast<float>(record.w * width), static_cast<float>(record.h * height)};
  face.score = static_cast<float>(record.confidence);
  if (record.landmarks) {
    Landmarks& points = face.landmarks.emplace();
    for (std::size_t i = 0; i < points.size(); ++i) {
      points[i] = {static_cast<float>((*record.landmarks)[2 * i] * width),
                   static_cast<float>((*record.landmarks)[2 * i + 1] * height)};
    }
  }
  return face;
}

}  // namespace fer
