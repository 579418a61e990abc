// Faces that are turned in the picture's plane: finding them, following them, and their landmarks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "vision/face_roll.h"
#include "vision/tracker.h"

namespace fer {

/// Detectors find faces that are about upright, and hardly any that lie on their side. So the whole
/// picture is looked at turned by a quarter now and then. Of a track that was seen turned, only the
/// surroundings are looked at from then on, turned upright. Not thread-safe.
///
/// For each run of the detector call add() with what it found, then Tracker::update(), then
/// turn_upright() with what that returned.
class TurnedFaces {
 public:
  /// The detector must have landmarks, and outlive this. Its picture() is overwritten.
  explicit TurnedFaces(Detector& detector) : detector_(detector), rolls_(detector) {}

  /// Adds to `found` the faces that are seen in turned pictures, and takes out what was found of
  /// the same faces. `config`: of the run. `threshold`: least score of faces that are
  /// not followed yet. `expected`: Tracker::expected(). Takes at most the time
  /// of a few runs, and seldom more than that of one.
  void add(const FrameView& frame, const DetectorConfig& config, float threshold,
           const std::vector<TrackedFace>& expected, int runs_in_a_second,
           std::vector<Face>& found);

  /// Gives turned faces landmarks that are right, and marks those not clear of which no look shows
  /// how they are turned. The tracker that made `faces` hears of both.
  void turn_upright(const FrameView& frame, int runs_in_a_second, std::vector<TrackedFace>& faces,
                    Tracker& tracker);

  /// The next run looks at all turns: the picture is a new one.
  void look_anew();

 private:
  /// How a track's face is turned, and when that was last looked for.
  struct Roll {
    double degrees = 0;
    bool clear = true;
    int runs_since_search = 0;
  };

  /// Turns of the whole picture that bring faces upright which are turned by so many degrees.
  static constexpr std::array kQuarters{90, -90, 180};

  const Roll* turned_roll(std::uint64_t track) const;
  void follow(const FrameView& frame, const std::vector<TrackedFace>& expected,
              std::array<bool, kQuarters.size()>& whole);
  void take(const RolledFace& seen, const FrameView& frame, std::vector<Face>& found);

  Detector& detector_;
  RollFinder rolls_;
  std::map<std::uint64_t, Roll> roll_of_;  ///< By track.
  /// Runs since the whole picture was looked at turned by each quarter.
  std::array<int, kQuarters.size()> runs_since_;
  std::vector<RolledFace> seen_;  ///< In this run, as they were added to what was found.
  int searches_ = 0;              ///< In this run.
  bool anew_ = true;
};

}  // namespace fer
