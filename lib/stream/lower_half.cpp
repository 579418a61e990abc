#include "stream/lower_half.h"

#include <functional>
#include <numeric>

#include "network/model_file.h"
#include "stream/adapted_networks.h"
#include "stream/labelled_faces.h"
#include "stream/linear_head.h"

namespace fer {

LowerHalf lower_half_of(const std::filesystem::path& model_file,
                        const std::filesystem::path& labelled, int frozen_blocks) {
  const ModelFile model = read_model(model_file);
  LowerHalf half;
  half.blocks = labelled.empty()
                    ? blocks_below(model.info.network, frozen_blocks)
                    : LabelledFaces::open(labelled, "", model, frozen_blocks)->split_point();
  half.hash = trunk_version(model, half.blocks);
  const AdaptedNetworks networks(model, half.blocks, /*momentum=*/0);
  const auto& shape = networks.activation_shape();
  half.activations = static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
  half.features = static_cast<std::size_t>(model.weights.at(LinearHead::kWeight).size(1));
  half.classes = static_cast<std::size_t>(model.info.network.classes);
  return half;
}

}  // namespace fer
