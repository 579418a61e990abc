// What became of a candidate. Free of LibTorch.
#pragma once

namespace fer {

enum class Outcome {
  kPromoted,    ///< It serves now.
  kKept,        ///< It does not serve; learning goes on from it.
  kRolledBack,  ///< It is thrown away; learning goes on from what serves.
};

/// What was decided on a candidate that has two parts: an adapted head, and what gradient steps
/// made.
struct Judgement {
  Outcome outcome = Outcome::kKept;
  /// The steps are thrown away, whatever became of the head.
  bool steps_rolled_back = false;
};

}  // namespace fer
