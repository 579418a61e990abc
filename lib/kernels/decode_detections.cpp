#include "kernels/decode_detections.h"

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/need.h"

namespace fer::kernels {

void check(const DecodeDetections& d) {
  const Need need{"decode_detections"};
  constexpr int kParts = kLargestStride / kFirstStride;
  need(d.count >= 0 && d.most_faces >= 0, "no negative number of frames or faces");
  need(d.rows > 0 && d.columns > 0 && d.rows % kParts == 0 && d.columns % kParts == 0,
       "a first map whose sides " + std::to_string(kParts) + " divides, found " +
           std::to_string(d.rows) + " x " + std::to_string(d.columns));
  need(d.count == 0 || (d.face_counts && d.guess_counts && (d.faces || d.most_faces == 0) &&
                        std::none_of(d.maps.begin(), d.maps.end(),
                                     [](const float* map) { return map == nullptr; })),
       "maps and room for faces and counts");
}

void decode_detections(const DecodeDetections& d) {
  check(d);
  const float least_logit = least_logit_of(d.least_score);
  int cells = 0;
  for (std::size_t level = 0; level < kCellStrides.size(); ++level)
    cells += cells_of(d, static_cast<int>(level));
  for (int frame = 0; frame < d.count; ++frame) {
    std::vector<CellFace> guesses;
    int passed = 0;
    for (int number = 0; number < cells; ++number) {
      const Cell cell = cell_at(d, frame, number);
      if (!passes(d, cell, least_logit)) continue;
      if (passed++ < kMostGuesses) guesses.push_back(face_at(d, cell));
    }
    const std::vector<CellFace> faces = best_cells(guesses);
    const int kept = std::min(d.most_faces, static_cast<int>(faces.size()));
    std::copy_n(faces.begin(), kept, d.faces + static_cast<std::ptrdiff_t>(frame) * d.most_faces);
    d.face_counts[frame] = kept;
    d.guess_counts[frame] = passed;
  }
}

}  // namespace fer::kernels
