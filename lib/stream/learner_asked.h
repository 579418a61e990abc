// What is asked of a learner's thread, besides labels. Free of LibTorch.
#pragma once

namespace fer {

/// Wishes that wait, and whether it pauses.
struct LearnerAsked {
  bool stop = false, paused = false;
  bool save = false, rollback = false, reset = false;

  /// Whether somebody waits for something.
  bool anything() const { return stop || save || rollback || reset; }
  /// A copy; what it asks for once waits no more.
  LearnerAsked take() {
    const LearnerAsked asked = *this;
    save = rollback = reset = false;
    return asked;
  }
};

}  // namespace fer
