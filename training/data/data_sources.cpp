#include "data/data_sources.h"

#include <system_error>

namespace fer {

const PackedDataset* DataSources::at(const std::filesystem::path& path) {
  for (const auto& [known, source] : sources_) {
    std::error_code not_there;
    if (std::filesystem::equivalent(known, path, not_there)) return &source->data();
  }
  sources_.emplace_back(path, std::make_unique<DataSource>(path, mode_, shape_, options_));
  return &sources_.back().second->data();
}

}  // namespace fer
