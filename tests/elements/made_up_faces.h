// Made-up faces for the tests of what shows or publishes them.
#pragma once

#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "element_test.h"

namespace fer::test {

/// FER+'s classes.
inline const std::vector<std::string> kLabels = {"neutral", "happiness", "surprise", "sadness",
                                                 "anger",   "disgust",   "fear",     "contempt"};

/// A picture in which no two places look the same: random colours on a grid, and what lies between.
inline cv::Mat varied_picture(cv::Size size, cv::Size grid) {
  cv::Mat noise(grid, CV_8UC3), smooth;
  cv::RNG random(7);
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  cv::resize(noise, smooth, size, 0, 0, cv::INTER_CUBIC);
  return smooth;
}

/// A face with that box, as shares of the frame, without expression.
inline FaceRecord face_at(double x, double y, double w, double h, guint64 track_id = 0) {
  FaceRecord face;
  face.track_id = track_id;
  face.x = x;
  face.y = y;
  face.w = w;
  face.h = h;
  face.confidence = 0.9;
  return face;
}

/// The face with an expression that the model is sure of.
inline FaceRecord with_expression(FaceRecord face, int label_id, float confidence = 0.93f) {
  Expression& expression = face.expression.emplace();
  expression.label_id = label_id;
  expression.label = kLabels[static_cast<std::size_t>(label_id)];
  expression.labels = kLabels;
  expression.probabilities.assign(kLabels.size(), (1 - confidence) / 7);
  expression.probabilities[static_cast<std::size_t>(label_id)] = confidence;
  expression.model_version = "test-1";
  return face;
}

/// The face with landmarks in the usual places of its box.
inline FaceRecord with_landmarks(FaceRecord face) {
  const double shares[] = {0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.35, 0.8, 0.65, 0.8};
  auto& landmarks = face.landmarks.emplace();
  for (std::size_t i = 0; i < 10; i += 2) {
    landmarks[i] = face.x + shares[i] * face.w;
    landmarks[i + 1] = face.y + shares[i + 1] * face.h;
  }
  return face;
}

/// The buffer with these faces as its metadata.
inline BufferPtr with_faces(BufferPtr buffer, const GstVideoInfo& info,
                            const std::vector<FaceRecord>& faces) {
  face_meta_write(buffer.get(), info, faces);
  return buffer;
}

}  // namespace fer::test
