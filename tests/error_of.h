// What a call complains of.
#pragma once

#include <stdexcept>
#include <string>

namespace fer::test {

/// The message of the std::runtime_error that `run()` throws; "" where it throws nothing.
template <typename Run>
std::string error_of(Run&& run) {
  try {
    run();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace fer::test
