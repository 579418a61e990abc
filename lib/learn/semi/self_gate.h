// A gate before the unlabelled faces of a run, made of its labelled faces alone.
#pragma once

#include <cstddef>

#include "export.h"
#include "learn/data/ssl_data.h"
#include "model/face_gate.h"

namespace fer {

class FeatureViews;

/// What a gate did to a run's unlabelled rows.
struct SelfGate {
  FaceGate gate;
  /// Shares of the labelled faces and of their copies that it accepts, each judged by a classifier
  /// that has not seen it.
  double faces_kept = 0, non_faces_accepted = 0;
  std::size_t unlabelled = 0, unlabelled_kept = 0;    ///< Without the distractors.
  std::size_t distractors = 0, distractors_kept = 0;  ///< Those of SslSources::distractors.
};

/// `threads`: of LibTorch; 0: one a core. Fits a gate (fit_face_gate()) to the labelled faces'
/// maps, and leaves of the unlabelled ones those that it accepts. Throws std::runtime_error where
/// the labelled faces' file holds no features of copies that are no faces.
FER_API SelfGate gate_unlabelled(SslData& data, const FeatureViews& views, int threads = 0);

}  // namespace fer
