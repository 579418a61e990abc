#include "data/layouts/layouts.h"

namespace fer {

std::optional<ImageList> read_known_layout(const std::filesystem::path& path) {
  for (const auto read : {read_raf_db, read_affectnet, read_fer2013})
    if (auto list = read(path)) return list;
  return std::nullopt;
}

}  // namespace fer
