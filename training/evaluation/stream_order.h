// Stills in an order in which a stream could have shown them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "learn/data/packed_dataset.h"

namespace fer {

/// What follows what. Streams are correlated, which is what breaks naive adaptation.
enum class StreamOrder {
  kFile,       ///< As the file has them.
  kPersons,    ///< Each person in one go, expressions in runs.
  kDirichlet,  ///< Expressions come in waves: each class is spread over the stream's parts by a
               ///< Dirichlet distribution of 0.1 (as in NOTE, Gong et al. 2022).
  kClasses,    ///< Sorted by expression.
};

/// Rows in the order. Everything but kFile is drawn by the seed. kDirichlet and kClasses look at
/// the labels, kPersons at persons and, where there are some, at labels; labels that are not known
/// are one class, and a row without a person is a person of its own. Throws std::runtime_error for
/// kDirichlet and kClasses where no row is labelled.
std::vector<std::size_t> in_stream_order(const PackedDataset& data, std::vector<std::size_t> rows,
                                         StreamOrder order, std::uint64_t seed);

}  // namespace fer
