#include "model/crop_format.h"

#include <stdexcept>

namespace fer {

std::string CropFormat::text() const {
  const std::string pixels = std::to_string(side);
  return std::string(channels == 1 ? "grey" : "RGB") + " crops of " + pixels + " x " + pixels +
         " px in the template \"" + align_template + "\"";
}

void require_same(const CropFormat& expected, const std::string& expected_by,
                  const CropFormat& found, const std::string& found_in) {
  if (found == expected) return;
  throw std::runtime_error(found_in + ": expected " + expected.text() + ", as in " + expected_by +
                           ", found " + found.text());
}

}  // namespace fer
