// Libraries of our own that are opened at run time, where what they need is at hand.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace fer {

/// Where such a library may be: the file that an environment variable names, else the installed
/// one, else what the dynamic linker finds.
struct OptionalLibrary {
  const char* variable;
  const char* folder;
  const char* name;
};

/// What `take(handle)` makes of the first library that opens and of which it makes something; a
/// default value of the kind where there is none, and `error` then says what was wrong with each.
/// That library stays open. `take` returns null for one of another version.
template <typename Take>
auto open_library(const OptionalLibrary& library, std::string& error, Take&& take) {
  const char* named = std::getenv(library.variable);
  const std::string places[] = {named ? named : "",
                                std::string(library.folder) + "/" + library.name, library.name};
  const auto note = [&](const std::string& what) { error += (error.empty() ? "" : "; ") + what; };
  error.clear();
  for (const std::string& place : places) {
    if (place.empty()) continue;
    void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      note(dlerror());
    } else if (auto taken = take(handle)) {
      error.clear();
      return taken;
    } else {
      note(place + ": from another version of gst-fer");
      dlclose(handle);  // Else a bare name would be answered with it, not with the next one.
    }
  }
  return decltype(take(nullptr)){};
}

}  // namespace fer
