// Maps of a detector that are random but the same for a seed, with room for what is found in them.
#pragma once

#include <array>
#include <random>
#include <vector>

#include "kernels/decode_detections.h"

namespace fer::test {

struct DetectorMaps {
  std::array<std::vector<float>, 3> maps;
  std::vector<GridCandidate> faces;
  std::vector<int> face_counts, guess_counts;
  kernels::DecodeDetections decode;

  /// About `share` of the cells pass the threshold.
  DetectorMaps(int count, int rows, int columns, unsigned seed, float share) {
    std::mt19937 random(seed);
    const auto uniform = [&] { return static_cast<float>(random()) / 4294967296.f; };
    decode.count = count;
    decode.rows = rows;
    decode.columns = columns;
    for (int level = 0; level < 3; ++level) {
      const int plane = (rows >> level) * (columns >> level);
      auto& map = maps[static_cast<std::size_t>(level)];
      for (int i = 0; i < count * kCellValues * plane; ++i) {
        const int value = i / plane % kCellValues;
        // Scores from 0.62 to 0.99 or from 0.01 to 0.38, faces of up to some cells.
        const float high = uniform() < share ? 0.5f : -5.f;
        map.push_back(value == 0 ? high + 4.5f * uniform() : 2 * uniform() - 0.5f);
      }
    }
    face_counts.resize(static_cast<std::size_t>(count), -1);
    guess_counts.resize(static_cast<std::size_t>(count), -1);
    resize_room(500);
  }

  void resize_room(int max_faces) {
    decode.max_faces = max_faces;
    faces.resize(static_cast<std::size_t>(decode.count * max_faces));
  }

  const GridCandidate& face(int frame, int index) const {
    return faces[static_cast<std::size_t>(frame * decode.max_faces + index)];
  }

  /// The launch with its pointers, which move when this does.
  const kernels::DecodeDetections& pointed() {
    for (std::size_t level = 0; level < maps.size(); ++level)
      decode.maps[level] = maps[level].data();
    decode.faces = faces.data();
    decode.face_counts = face_counts.data();
    decode.guess_counts = guess_counts.data();
    return decode;
  }
};

}  // namespace fer::test
