// What the overlay shows of each face, held steady from frame to frame.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "face-meta.h"

namespace fer {

/// The expression to show of one face.
struct ShownExpression {
  std::string label;
  int label_id = -1;
  std::optional<double> confidence;  ///< Nothing where the model gave no probabilities.
  std::vector<float> probabilities;
  std::vector<std::string> labels;  ///< One a probability; "class 0" … where nobody named them.
  bool unsure = false;              ///< See Expression::unsure.
};

/// What a track wants to keep from frame to frame beside its expression.
struct TrackMemory {
  /// Where its bars stand, an index into the painter's choices; -1: nowhere yet.
  int bars_at = -1;
  bool small = false;  ///< Whether its face counts as small.
};

/// Smooths the probabilities of each track, so that labels and bars do not flicker.
class ShownTracks {
 public:
  /// Takes in one frame's faces. `smoothing` in [0, 1) is the share that the past keeps in each
  /// frame; 0 shows the metadata as it is. Call it for frames without faces too.
  void update(const std::vector<FaceRecord>& faces, double smoothing);

  /// What to show of a face of the last update(); nullopt where it has no expression.
  std::optional<ShownExpression> shown(const FaceRecord& face) const;

  /// The memory of a face's track; one that is forgotten at once for a face without a track.
  TrackMemory& memory(const FaceRecord& face);

  /// Forgets everything (a flush, other caps, a new start).
  void reset();

 private:
  struct Track {
    std::vector<float> probabilities;
    int label_id = -1;
    TrackMemory memory;
    guint64 last_seen = 0;  ///< Number of the frame.
  };

  static void smooth(Track& track, const Expression& expression, double smoothing);

  std::map<guint64, Track> tracks_;
  guint64 frame_ = 0;
  double smoothing_ = 0;
  TrackMemory untracked_;
};

}  // namespace fer
