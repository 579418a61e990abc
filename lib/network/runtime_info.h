// What the LibTorch that runs here can do. Free of LibTorch in its interface.
#pragma once

#include <string>

#include "export.h"

namespace fer {

/// What LibTorch says of itself.
struct RuntimeInfo {
  std::string torch_version;   ///< That we were built against.
  bool onednn = false;         ///< Convolutions go through oneDNN.
  std::string onednn_version;  ///< As LibTorch words it; empty without it.
  int threads = 1;             ///< That LibTorch takes unless told otherwise.
};

FER_API RuntimeInfo runtime_info();

}  // namespace fer
