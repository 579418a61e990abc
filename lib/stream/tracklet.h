// Evidence: about a second of one face, taken as one word on its expression. Free of LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "export.h"
#include "stream/face_latents.h"
#include "stream/face_sample.h"
#include "stream/gates.h"
#include "stream/learner_config.h"

namespace fer {

/// What a tracklet says. Consecutive frames of a stream are nearly the same picture: hundreds of
/// them are one observation, not hundreds.
struct Evidence {
  std::string source;
  std::int64_t track = -1;
  std::int64_t begun_ns = 0;    ///< Time of its first frame.
  int frames = 0;               ///< That passed the gates.
  std::vector<float> mean;      ///< Mean probability of each class over them.
  int label = 0;                ///< Likeliest class in most of the frames; a tie: by `mean`.
  float majority = 0;           ///< Share of the frames in which it is the likeliest.
  float flip_rate = 0;          ///< Share of neighbouring frames with different likeliest classes.
  float source_confidence = 0;  ///< How sure the unadapted model is, mean over the frames.
  /// The sharpest crops, sharpest first. Empty where a restart kept only the latents.
  std::vector<std::vector<std::uint8_t>> crops;
  FaceLatents latents;  ///< Mean features of all frames, activations of the sharpest one.

  /// True where its frames do not contradict one another.
  FER_API bool agrees(const TrackletConfig& config) const;
};

/// Joins frames to tracklets. A tracklet ends at its full length, at a gap, or where time goes
/// backwards (a seek, a restart); faces without a track are tracklets of their own.
class FER_API TrackletBuilder {
 public:
  /// `side`: of the crops, pixels.
  TrackletBuilder(const TrackletConfig& config, int side);

  /// Adds a face with the teacher's class probabilities, the unadapted model's confidence in its
  /// own answer, and that model's latents. Returns the tracklets that ended by it: at most one of
  /// the same track, and those of others that have been silent for longer than a gap.
  std::vector<Evidence> add(FaceSample face, const std::vector<float>& probabilities,
                            float source_confidence = 1, FaceLatents latents = {});

  /// Ends the tracklets of a source; all for nullopt.
  std::vector<Evidence> end(const std::optional<std::string>& source = std::nullopt);

  /// Why a tracklet that ended says too little; nullopt where it does not.
  std::optional<Refusal> refuse(const Evidence& evidence) const;

  std::size_t open() const { return open_.size(); }

 private:
  struct Open {
    Evidence evidence;
    std::int64_t last_ns = 0;
    int last_label = -1, flips = 0;
    std::vector<int> counts;                                        ///< Frames by likeliest class.
    std::vector<std::pair<float, std::vector<std::uint8_t>>> best;  ///< Sharpness and crop.
  };
  using Key = std::pair<std::string, std::int64_t>;

  void take(Open& open, FaceSample face, const std::vector<float>& probabilities,
            float source_confidence, FaceLatents latents) const;
  static Evidence close(Open open);

  const TrackletConfig config_;
  const int side_;
  std::map<Key, Open> open_;
};

}  // namespace fer
