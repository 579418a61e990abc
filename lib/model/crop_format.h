// What face crops look like: what a model takes, and what a dataset holds.
#pragma once

#include <cstddef>
#include <string>

#include "export.h"

namespace fer {

/// Size, colour and geometry of face crops.
struct CropFormat {
  int side = 48;                       ///< Width and height, in pixels.
  int channels = 1;                    ///< 1: grey, 3: RGB; planar.
  std::string align_template = "fer";  ///< Where the landmarks lie; see vision/align.h.

  bool operator==(const CropFormat&) const = default;

  /// Of one crop: channels x side x side, a byte each.
  std::size_t bytes() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(side) *
           static_cast<std::size_t>(side);
  }

  /// For messages: "grey crops of 48 x 48 px in the template \"fer\"".
  FER_API std::string text() const;
};

/// Checks that the crops in `found_in` are what `expected_by` takes. Throws std::runtime_error with
/// both names and both formats where they are not.
FER_API void require_same(const CropFormat& expected, const std::string& expected_by,
                          const CropFormat& found, const std::string& found_in);

}  // namespace fer
