// Python programs that tests compare with. FER_TEST_PYTHON may name a Python that has the modules,
// such as a virtual environment's.
#pragma once

#include <cstdlib>
#include <string>

#include "terminal/subprocess.h"

namespace fer::test {

inline std::string python() {
  const char* named = std::getenv("FER_TEST_PYTHON");
  return named != nullptr ? named : "python3";
}

/// `modules` as in "numpy, onnxruntime".
inline bool python_has(const std::string& modules) {
  const ProgramResult tried =
      run_program({python(), "-c", "import " + modules}, std::chrono::seconds(60));
  return tried.ran && tried.status == 0;
}

}  // namespace fer::test
