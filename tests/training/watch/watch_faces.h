// Frames and faces as `fer watch` sees them, made up.
#pragma once

#include "model/labels.h"
#include "watch/face_row.h"

namespace fer::test {

/// A face of a frame of 200 x 100 pixels, turned by 45 degrees, sure of its label.
inline FaceRecord watched_face(guint64 id, int label, bool unsure = false) {
  FaceRecord face;
  face.track_id = id;
  face.x = 0.25;
  face.y = 0.2;
  face.w = 0.1;
  face.h = 0.4;
  face.confidence = 0.875;
  // Right eye at (60, 30), left eye at (70, 40).
  face.landmarks = {0.3, 0.3, 0.35, 0.4, 0.3, 0.45, 0.28, 0.5, 0.32, 0.55};
  Expression said;
  said.labels = ferplus_labels();
  said.probabilities.assign(said.labels.size(), 0.f);
  said.probabilities[static_cast<std::size_t>(label)] = 1;
  said.label = said.labels[static_cast<std::size_t>(label)];
  said.label_id = label;
  said.age = 2;
  said.unsure = unsure;
  said.model_version = "abc";
  face.expression = said;
  return face;
}

inline SeenFrame watched_frame(std::size_t number, std::vector<FaceRecord> faces) {
  SeenFrame frame;
  frame.number = number;
  frame.time = 0.5 * static_cast<double>(number);
  frame.geometry.width = 200;
  frame.geometry.height = 100;
  frame.faces = std::move(faces);
  return frame;
}

}  // namespace fer::test
