// The page's files, as they were when the program was built.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fer {

struct PageAsset {
  std::string_view path;  ///< As "/page.js".
  std::string_view type;  ///< The Content-Type.
  std::string_view bytes;
};

/// Written by embed_assets.py.
const std::vector<PageAsset>& page_assets();

}  // namespace fer
