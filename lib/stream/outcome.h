// What became of a candidate. Free of LibTorch.
#pragma once

namespace fer {

enum class Outcome {
  kPromoted,    ///< It serves now.
  kKept,        ///< It does not serve; learning goes on from it.
  kRolledBack,  ///< It is thrown away; learning goes on from what serves.
};

}  // namespace fer
