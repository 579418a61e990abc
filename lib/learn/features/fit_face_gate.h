// Fits a FaceGate to faces and to copies of them that are no faces.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "model/face_gate.h"
#include "util/random.h"

namespace fer {

/// Copies of a face that are no face of the kind: the same light, grain and skin, so that nothing
/// but the arrangement tells them apart.
enum class NonFace {
  kUpsideDown,  ///< Mirrored top to bottom.
  kShuffled,    ///< Nine tiles, each in another's place.
};
inline constexpr NonFace kNonFaces[] = {NonFace::kUpsideDown, NonFace::kShuffled};

/// One copy of a crop (channels x side x side, planar). `random` draws the order of the tiles, none
/// of which stays where it was; where the side is no multiple of three, the last rows and columns
/// stay.
std::vector<std::uint8_t> non_face(std::span<const std::uint8_t> crop, int channels, int side,
                                   NonFace kind, Random random);

struct FaceGateConfig {
  int folds = 5;
  double l2 = 0.01;
  double quantile = 0.1;  ///< Share of the faces that may be lost.
};

/// How a gate does on what it was fitted to, each face by a classifier that has not seen it.
struct FittedFaceGate {
  FaceGate gate;
  double faces_kept = 0;          ///< Share of the faces.
  double non_faces_accepted = 0;  ///< Share of the copies.
};

/// `faces`: N x D pooled maps; `copies`: V x N x D, of each face's copies. Each of the folds'
/// logistic regressions is fitted without a fold of the faces and their copies; the gate is their
/// mean, and its line is the quantile of the scores that faces get from the one that has not seen
/// them. Throws std::runtime_error where there are fewer faces than folds.
FittedFaceGate fit_face_gate(const torch::Tensor& faces, const torch::Tensor& copies,
                             const FaceGateConfig& config = {});

/// Maps (N x C x H x W) as the gate takes them: N x C·grid·grid, fp32.
torch::Tensor pooled_maps(const torch::Tensor& maps, int grid);

/// N, bool: the rows of pooled maps (N x D) that the gate accepts.
torch::Tensor accepted_by(const FaceGate& gate, const torch::Tensor& pooled);

}  // namespace fer
