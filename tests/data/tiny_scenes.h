// Photos that a tiny detector learns in seconds: drawn "faces", bright ovals with two dark eyes and
// a dark mouth, on noise.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "learn/detection/detection_dataset.h"
#include "util/random.h"

namespace fer::test {

struct TinyPhoto {
  Scene scene;
  std::vector<std::uint8_t> pixels;

  void set(int x, int y, double value) {
    if (x < 0 || y < 0 || x >= scene.width || y >= scene.height) return;
    pixels[static_cast<std::size_t>(y * scene.width + x)] = static_cast<std::uint8_t>(value);
  }
};

inline TinyPhoto tiny_background(int width, int height, Random& random) {
  TinyPhoto photo;
  photo.scene.width = width;
  photo.scene.height = height;
  for (int i = 0; i < width * height; ++i)
    photo.pixels.push_back(static_cast<std::uint8_t>(random.uniform(50, 110)));
  return photo;
}

/// A face of this height around a point, its width 0.8 of that.
inline void draw_tiny_face(TinyPhoto& photo, float x, float y, float height, Random& random) {
  SceneFace face;
  face.width = 0.8f * height;
  face.height = height;
  face.x = x - face.width / 2;
  face.y = y - face.height / 2;
  const std::array<float, 10> places{-0.18f, -0.12f, 0.18f, -0.12f, 0.f,
                                     0.08f,  -0.15f, 0.27f, 0.15f,  0.27f};
  for (std::size_t k = 0; k < places.size(); k += 2) {
    face.points[k] = x + places[k] * height;
    face.points[k + 1] = y + places[k + 1] * height;
  }
  face.score = 0.95f;
  const auto near = [&](int px, int py, float cx, float cy, float rx, float ry) {
    const float dx = (static_cast<float>(px) + 0.5f - cx) / rx;
    const float dy = (static_cast<float>(py) + 0.5f - cy) / ry;
    return dx * dx + dy * dy <= 1;
  };
  for (int py = static_cast<int>(face.y); py <= static_cast<int>(face.y + height); ++py) {
    for (int px = static_cast<int>(face.x); px <= static_cast<int>(face.x + face.width); ++px) {
      if (!near(px, py, x, y, face.width / 2, height / 2)) continue;
      const auto& p = face.points;
      const float mouth_x = (p[6] + p[8]) / 2;
      const bool dark = near(px, py, p[0], p[1], 0.09f * height, 0.07f * height) ||
                        near(px, py, p[2], p[3], 0.09f * height, 0.07f * height) ||
                        near(px, py, mouth_x, p[7], 0.15f * height, 0.05f * height);
      photo.set(px, py, dark ? 20 : 200 + random.uniform(-15, 15));
    }
  }
  photo.scene.faces.push_back(face);
}

/// `count` photos of split train, half as many of valid; every fourth has no face.
inline void write_tiny_scenes(const std::filesystem::path& path, int count,
                              std::uint64_t seed = 1) {
  Random random(seed);
  DetectionDatasetWriter writer;
  for (int i = 0; i < count + count / 2; ++i) {
    TinyPhoto photo = tiny_background(96 + 8 * (i % 3), 96, random);
    photo.scene.split = i < count ? 0 : 1;
    if (i % 4 != 3) {
      draw_tiny_face(photo, static_cast<float>(random.uniform(30, 66)),
                     static_cast<float>(random.uniform(30, 66)),
                     static_cast<float>(random.uniform(24, 52)), random);
    } else {
      photo.scene.tempting = i % 8 == 3;
    }
    writer.add(photo.scene, photo.pixels);
  }
  writer.write(path, {{"train", "valid"}, {"tiny"}, "tiny"});
}

}  // namespace fer::test
