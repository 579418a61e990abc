// What came of an input, in numbers.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "watch/face_row.h"
#include "watch/inputs.h"

namespace fer {

/// Counts of one input. Sums of several are sums of their fields.
struct WatchResult {
  std::string name;
  WatchKind kind = WatchKind::kVideo;
  std::string error;     ///< Why it could not be watched to its end; empty: it was.
  bool stopped = false;  ///< Somebody stopped it before its end.

  std::size_t inputs = 1;
  std::size_t frames = 0, empty_frames = 0;   ///< Empty: nobody was seen.
  std::size_t faces = 0;                      ///< Over all frames.
  std::size_t people = 0;                     ///< Ids; of photos, faces.
  std::size_t unsure = 0;                     ///< Faces whose label is marked so.
  std::size_t dropped = 0;                    ///< Frames of a camera that came too fast.
  double seconds = 0;                         ///< Of the video; 0 of photos.
  double work_seconds = 0;                    ///< That it took.
  std::map<std::string, std::size_t> labels;  ///< Of the faces that are not unsure.
};

void to_json(nlohmann::json& json, const WatchResult& result);
void from_json(const nlohmann::json& json, WatchResult& result);

/// Adds the counts of `other`.
void add_counts(WatchResult& sum, const WatchResult& other);

/// Counts frames as they pass.
class WatchTally {
 public:
  explicit WatchTally(const WatchInput& input);

  void add(const SeenFrame& frame);
  /// The classes of the model, in its order; empty before there was a face.
  const std::vector<std::string>& classes() const { return classes_; }
  WatchResult& result() { return result_; }

 private:
  WatchResult result_;
  std::set<guint64> ids_;
  std::vector<std::string> classes_;
};

/// One line for people: "clip.mp4: 20.0 s, 600 frames, 2 people, 61 % happiness, …".
std::string summary_line(const WatchResult& result);

/// "183 frames a second, 6.1 times real time"; the time of photos has no such factor. `seconds`:
/// that the work took.
std::string speed_text(const WatchResult& result, double seconds);

}  // namespace fer
