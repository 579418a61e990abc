// Whether code runs from the tree in which it was built, or as it was installed.
#pragma once

#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "model_dirs.h"

namespace fer {

/// True where the program or library that holds this function lies in the build's folder. What was
/// installed must not look into a checkout, which its user may not even read.
inline bool in_build_tree() {
  namespace fs = std::filesystem;
  Dl_info here{};
  if (::dladdr(reinterpret_cast<const void*>(&in_build_tree), &here) == 0) return false;
  const fs::path name = here.dli_fname != nullptr ? here.dli_fname : "";
  std::error_code missing;
  // The program itself goes by what it was called, which may be a name in PATH.
  fs::path file = name.has_parent_path() ? fs::canonical(name, missing) : fs::path();
  if (file.empty() || missing) file = fs::read_symlink("/proc/self/exe", missing);
  const fs::path build = fs::weakly_canonical(FER_BUILD_FOLDER, missing);
  return !build.empty() && file.string().starts_with(build.string() + "/");
}

}  // namespace fer
