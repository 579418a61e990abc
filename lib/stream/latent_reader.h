// Latents of faces, by the networks' frozen part.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "stream/adapted_networks.h"
#include "stream/crop_views.h"
#include "stream/face_latents.h"

namespace fer {

/// What the source makes of some faces.
struct SeenFaces {
  torch::Tensor activations;         ///< At the split point, where the networks lie.
  torch::Tensor features;            ///< N x D, on the CPU.
  std::vector<FaceLatents> latents;  ///< One per face.
};

/// Looks at crops without augmentation. `with_bytes`: fills the latents' bytes, too.
SeenFaces see_faces(AdaptedNetworks& networks, const ModelInfo& model,
                    const CropViews::Crops& crops, bool with_bytes);

}  // namespace fer
