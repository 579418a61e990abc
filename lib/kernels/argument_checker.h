// Checks of arguments that say which form was called and what it expected.
#pragma once

#include <stdexcept>
#include <string>

namespace fer::kernels {

struct ArgumentChecker {
  const char* form;

  /// Throws std::invalid_argument, "FORM: expected WHAT", where `holds` is false.
  void operator()(bool holds, const std::string& what) const {
    if (!holds) throw std::invalid_argument(std::string(form) + ": expected " + what);
  }
};

}  // namespace fer::kernels
