// What is known of the expressions of the faces that are being followed.
#pragma once

#include <map>
#include <string>

#include "face-meta.h"

namespace fer {

/// When a face that is followed is inferred anew.
struct ReclassifyRules {
  guint interval = 1;         ///< In frames; 0: never, once it has an expression.
  std::string model_version;  ///< Of the model that serves: another model asks again.
};

/// The last expression of every track. A bounded number of tracks is kept; one that has not been
/// seen for a while is forgotten. Used from one thread.
class KnownFaces {
 public:
  /// The most tracks that are kept, and how many frames one is kept unseen.
  static constexpr std::size_t kMaxTracks = 1024;
  static constexpr guint64 kForgetAfter = 300;

  /// Begins with the next frame: everything is a frame older.
  void next_frame();

  /// Whether the face is to be inferred in this frame: it is not known, its expression is
  /// `interval` frames old or another model's, or its box grew by a quarter since: it shows more
  /// now. A face without a track is always due.
  bool due(const FaceRecord& face, const ReclassifyRules& rules) const;

  /// Keeps the face's fresh expression. `smoothing`, in [0, 1), is the weight of what was known
  /// before: the probabilities become smoothing · old + (1 − smoothing) · fresh. Sets the face's
  /// expression. A face without a track gets the fresh one.
  void learn(FaceRecord& face, Expression fresh, double smoothing);

  /// Sets the face's expression to the last one with its age; false where none is known.
  bool recall(FaceRecord& face);

  void clear();
  std::size_t size() const { return tracks_.size(); }

 private:
  struct Track {
    Expression expression;
    double w = 0, h = 0;             ///< Of the box when it was inferred.
    guint64 inferred = 0, seen = 0;  ///< Numbers of frames.
  };

  guint64 frame_ = 0;
  std::map<guint64, Track> tracks_;
};

}  // namespace fer
