// Models with made-up weights, without LibTorch.
#pragma once

#include <cstdint>
#include <string>

#include "model/labels.h"
#include "model/network_layout.h"
#include "model/stored_model.h"
#include "util/random.h"

namespace fer::test {

/// Small, with every kind of layer.
inline NetworkConfig plain_config() {
  NetworkConfig config;
  config.name = "plain";
  config.input_size = 24;
  config.stem_width = 8;
  config.widths = {8, 16};
  config.depths = {2, 1};
  config.strides = {1, 2};
  config.attention_reduction = 4;
  return config;
}

/// A model whose weights a seed fixes.
inline StoredModel plain_model(std::uint64_t seed = 1) {
  StoredModel model;
  model.info.network = plain_config();
  model.info.labels = ferplus_labels();
  model.info.prior.assign(model.info.labels.size(), 0.125f);
  Random random(seed);
  for (const auto& [name, shape] : network_layout(model.info.network)) {
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    FloatTensor& tensor = model.weights[name];
    tensor.shape = shape;
    const bool variance = name.ends_with(".running_var");
    for (std::size_t i = 0; i < count; ++i) {
      tensor.values.push_back(
          static_cast<float>(variance ? random.uniform(0.5, 1.5) : random.uniform(-0.4, 0.4)));
    }
  }
  return model;
}

}  // namespace fer::test
