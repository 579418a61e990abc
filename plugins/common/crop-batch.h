// The faces of a frame as the classifier wants them.
#pragma once

#include <cstdint>
#include <vector>

#include "model/model_info.h"
#include "vision/align.h"
#include "vision/face.h"
#include "vision/frame.h"

namespace fer {

/// The geometry of the crops that a model was trained on.
CropSpec crop_spec(const ModelInfo& model);

/// Whether crops for the one model serve the other.
bool same_crops(const ModelInfo& a, const ModelInfo& b);

/// Crops of one frame, planar uint8, one after the other.
class CropBatch {
 public:
  /// Starts a batch of crops for this model.
  void start(const ModelInfo& model);
  /// Adds the faces, aligned. Throws as crop_face() does.
  void add_faces(const FrameView& frame, const std::vector<Face>& faces);
  /// Adds the whole frame.
  void add_whole(const FrameView& frame);

  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  CropSpec spec_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace fer
