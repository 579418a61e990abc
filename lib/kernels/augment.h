// Weak and strong random views of a batch of face crops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/batch.h"
#include "kernels/philox.h"
#include "kernels/view_rules.h"

namespace fer::kernels {

/// One launch. Pointers are to the processor's memory for the CPU form and to the device's for the
/// kernel.
struct Augment {
  const std::uint8_t* crops = nullptr;  ///< Planar: channels x side x side each.
  /// Index of the crop that each view shows (`count` of them), so that a batch picks from a dataset
  /// that stays in place; null: the first `count` crops.
  const std::int64_t* rows = nullptr;
  int count = 0;  ///< Views of each kind; may be 0.
  int channels = 1, side = 0;

  /// Seed and position + i decide view i, on whatever device and in whatever batch it is made.
  std::uint64_t seed = 0, position = 0;
  /// The views, count x channels x side x side: (value - mean) / stddev of values in [0, 1].
  /// Without data these views are not made.
  struct View {
    RandAugmentConfig config = kWeakView;
    Batch out;
  };
  View weak, strong;
  float mean = 0, stddev = 1;

  /// For the device form only: scratch memory of augment_workspace() bytes.
  void* workspace = nullptr;
};

/// Throws std::invalid_argument that names what is missing or out of range.
void check(const Augment& augment);

/// The CPU form, on the calling thread. Throws as check() does.
void augment(const Augment& augment);

/// The random numbers of a view; weak views have stream 0, strong ones stream 1.
FER_HOST_DEVICE inline PhiloxRandom random_of(const Augment& a, int stream, int view) {
  return {a.seed, static_cast<std::uint32_t>(stream),
          a.position + static_cast<std::uint64_t>(view)};
}

FER_HOST_DEVICE inline const std::uint8_t* crop_of(const Augment& a, int view) {
  const auto row = a.rows ? static_cast<std::size_t>(a.rows[view]) : static_cast<std::size_t>(view);
  return a.crops + row * static_cast<std::size_t>(a.channels * a.side * a.side);
}

/// Makes the view of one crop, in [0, 1]; `out` is planar like the crop.
void apply_view(const AugmentParams& plan, const std::uint8_t* crop, int channels, int side,
                std::span<float> out);

}  // namespace fer::kernels
