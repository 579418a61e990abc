#include "stream/label_requests.h"

#include <exception>

#include "stream/online_learner.h"

namespace fer {

void LabelRequests::fulfil(OnlineLearner* learner) {
  if (learner)
    for (const auto& [id, answer] : settlements_) learner->settle(id, answer);
  for (Pick& pick : picks_) {
    try {
      pick.answer.set_value(learner ? learner->questions(pick.n, pick.hidden) : Questions());
    } catch (...) {
      pick.answer.set_exception(std::current_exception());
    }
  }
}

}  // namespace fer
