// One model out of several that share a start.
#pragma once

#include <vector>

#include "export.h"
#include "network/model_file.h"

namespace fer {

/// The mean of the models' weights, batch norm's statistics included: a "model soup" (Wortsman et
/// al., ICML 2022, arXiv 2203.05482). It is often better than each of them where all were trained
/// on from the same weights, and at no cost in serving; means of models that were not are no good.
/// The rest of its info is the first model's, with the versions of all in
/// provenance["averaged"]; it is not calibrated. Throws std::runtime_error where there are none, or
/// one has another network, labels, normalisation or alignment than the first.
FER_API ModelFile average_models(const std::vector<ModelFile>& models);

}  // namespace fer
