#include "network/runtime_info.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

namespace fer {

RuntimeInfo runtime_info() {
  RuntimeInfo info;
  info.torch_version = TORCH_VERSION;
  info.onednn = at::hasMKLDNN();
  if (info.onednn) info.onednn_version = at::get_mkldnn_version();
  info.threads = at::get_num_threads();
  return info;
}

}  // namespace fer
