#include "kernels/decode_detections.h"

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/argument_checker.h"

namespace fer::kernels {

void check(const DecodeDetections& d) {
  const ArgumentChecker require{"decode_detections"};
  constexpr int kParts = kLargestStride / kFirstStride;
  require(d.count >= 0 && d.max_faces >= 0, "no negative number of frames or faces");
  require(d.rows > 0 && d.columns > 0 && d.rows % kParts == 0 && d.columns % kParts == 0,
          "a first map whose sides " + std::to_string(kParts) + " divides, found " +
              std::to_string(d.rows) + " x " + std::to_string(d.columns));
  require(d.count == 0 || (d.face_counts && d.guess_counts && (d.faces || d.max_faces == 0) &&
                           std::none_of(d.maps.begin(), d.maps.end(),
                                        [](const float* map) { return map == nullptr; })),
          "maps and room for faces and counts");
}

void decode_detections(const DecodeDetections& d) {
  check(d);
  const float min_logit = min_logit_of(d.min_score);
  int cells = 0;
  for (std::size_t level = 0; level < kCellStrides.size(); ++level)
    cells += cells_of(d, static_cast<int>(level));
  for (int frame = 0; frame < d.count; ++frame) {
    std::vector<GridCandidate> guesses;
    int passed = 0;
    for (int number = 0; number < cells; ++number) {
      const Cell cell = cell_at(d, frame, number);
      if (!passes(d, cell, min_logit)) continue;
      if (passed++ < kMaxGuesses) guesses.push_back(face_at(d, cell));
    }
    const std::vector<GridCandidate> faces = best_candidates(guesses);
    const int kept = std::min(d.max_faces, static_cast<int>(faces.size()));
    std::copy_n(faces.begin(), kept, d.faces + static_cast<std::ptrdiff_t>(frame) * d.max_faces);
    d.face_counts[frame] = kept;
    d.guess_counts[frame] = passed;
  }
}

}  // namespace fer::kernels
