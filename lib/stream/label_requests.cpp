#include "stream/label_requests.h"

#include <exception>

#include "stream/online_learner.h"

namespace fer {

bool LabelRequests::fulfil(OnlineLearner& learner) {
  for (const auto& [face, label, question] : labels_) {
    learner.add_label(face, label);
    if (question) learner.settle(*question);
  }
  for (const auto& [question, answer] : settlements_) learner.settle(question, answer);
  for (Pick& pick : picks_) {
    try {
      pick.answer.set_value(learner.questions(pick.n, pick.hidden));
    } catch (...) {
      pick.answer.set_exception(std::current_exception());
    }
  }
  return !labels_.empty();
}

void LabelRequests::answer_none() {
  for (Pick& pick : picks_) pick.answer.set_value({});
}

}  // namespace fer
